import { spawnSync } from 'node:child_process';
import { endWithLastWords, messageOf, UserError } from '../results/errors.js';
import { watchEventLoop } from '../results/event-loop.js';
import type { FromServer, ServerInfo, ToServer } from './messages.js';
import { type RunningServer, startServer } from './server.js';
import type { ServerSpec } from './spec.js';

/** A server in a process of its own, told what to do over IPC. It ends when it is told to, or when the parent is gone. */
const stopping = new AbortController();
let server: RunningServer | undefined;

process.on('message', (message: ToServer) => {
  void receive(message);
});
process.on('disconnect', () => process.exit(1));
// Ctrl-C goes to the whole foreground group; the parent decides when this process stops.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {
  void stop();
});

// A strategy that throws ends its server.
endWithLastWords();

async function receive(message: ToServer): Promise<void> {
  if (message.kind === 'start') await start(message.spec, message.eventLoopMs);
  else if (message.kind === 'stop') await stop();
  else if (message.kind === 'usage' && server) send({ kind: 'usage', n: message.n, usage: server.usage() });
  else if (message.kind === 'statistics' && server)
    send({ kind: 'statistics', n: message.n, statistics: server.service.modelStatistics() });
}

async function start(spec: ServerSpec, eventLoopMs: number | undefined): Promise<void> {
  try {
    if (spec.cpus !== undefined) pin(spec.cpus);
    const event = (text: string) => send({ kind: 'event', text });
    const line = (text: string) => process.stderr.write(`${text}\n`);
    server = await startServer(spec, { event, line }, stopping.signal);
    send({ kind: 'ready', info: infoOf(server) });
    if (eventLoopMs !== undefined) watchEventLoop(eventLoopMs, (figures) => send({ kind: 'eventLoop', figures }));
  } catch (error) {
    const problems = error instanceof UserError ? error.problems : null;
    send({ kind: 'failed', error: messageOf(error), problems }, () => process.exit(1));
  }
}

async function stop(): Promise<void> {
  stopping.abort();
  await server?.close();
  process.exit(0);
}

function infoOf({ addresses, metadata, model, providers }: RunningServer): ServerInfo {
  const { path = null, sha256 = null, provenance, runtime } = model;
  return { pid: process.pid, addresses, metadata, model: { path, sha256, provenance, runtime, providers } };
}

/** Threads that start later inherit it. */
function pin(cpus: string): void {
  const pinned = spawnSync('taskset', ['-a', '-c', '-p', cpus, String(process.pid)], { encoding: 'utf8' });
  if (pinned.status === 0) return;
  throw new UserError({
    place: 'cpus',
    found: `the server cannot be pinned to "${cpus}": ${pinned.error?.message ?? pinned.stderr.trim()}`,
    remedy: 'Name processors that this machine has, or install taskset (util-linux), or leave the processors out',
  });
}

function send(message: FromServer, sent: () => void = () => {}): void {
  if (process.connected) process.send?.(message, sent);
}
