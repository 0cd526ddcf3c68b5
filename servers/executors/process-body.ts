import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { compiledUrl } from '../../results/compiled.js';
import type { Body, BodyEvents, FromWorker } from './instance.js';
import { LastLines } from './last-lines.js';

/** How long a child may take to stop before it is killed. */
const STOP_MS = 5000;

/** A child process: it can be killed, and a crash of native code ends only itself. Messages are copied. */
export function startProcess(events: BodyEvents): Body {
  const child = fork(fileURLToPath(compiledUrl(import.meta.url, './instance-worker.js')), [], {
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: [],
  });
  const lines = new LastLines();
  lines.follow(child.stdout, events.line);
  lines.follow(child.stderr, events.line);
  child.on('message', (message) => events.message(message as FromWorker));
  // A send to a child that has just died fails; its exit tells the story.
  child.on('error', () => {});
  let over = false;
  const ended = new Promise<void>((resolve) => {
    child.on('close', (code, signal) => {
      over = true;
      events.exit(signal ? `killed by ${signal}` : `exit code ${code}`, lines.get());
      resolve();
    });
  });
  return {
    pid: child.pid ?? -1,
    sameClock: false,
    post: (message) => {
      if (child.connected) child.send(message, () => {});
    },
    kill: () => child.kill('SIGKILL'),
    ended: async () => {
      const force = setTimeout(() => over || child.kill('SIGKILL'), STOP_MS);
      await ended;
      clearTimeout(force);
    },
  };
}
