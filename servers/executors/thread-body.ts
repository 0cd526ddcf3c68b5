import { Worker } from 'node:worker_threads';
import { compiledUrl } from '../../results/compiled.js';
import { messageOf } from '../../results/errors.js';
import type { Body, BodyEvents, FromWorker } from './instance.js';
import { LastLines } from './last-lines.js';

/**
 * A worker thread. It is never terminated: `worker.terminate()` during a run of ONNX Runtime aborts the whole process.
 * It ends by itself when told to stop.
 */
export function startThread(events: BodyEvents): Body {
  const worker = new Worker(compiledUrl(import.meta.url, './instance-worker.js'), {
    stdout: true,
    stderr: true,
    execArgv: [],
  });
  const lines = new LastLines();
  lines.follow(worker.stdout, events.line);
  lines.follow(worker.stderr, events.line);
  let thrown: string | undefined;
  worker.on('message', (message: FromWorker) => events.message(message));
  worker.on('error', (error) => {
    thrown = messageOf(error);
  });
  const ended = new Promise<void>((resolve) => {
    worker.on('exit', (code) => {
      // The last lines arrive with the next turn of the loop.
      setImmediate(() => {
        events.exit(thrown ? `threw: ${thrown}` : `exit code ${code}`, lines.get());
        resolve();
      });
    });
  });
  return {
    pid: process.pid,
    sameClock: true,
    post: (message, transfer) => worker.postMessage(message, transfer),
    kill: () => false,
    ended: () => ended,
  };
}
