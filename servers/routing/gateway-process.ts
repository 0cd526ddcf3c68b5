import { spawnSync } from 'node:child_process';
import { messageOf, UserError } from '../../results/errors.js';
import type { GatewaySpec } from './contract.js';
import { type Gateway, startGateway } from './gateway.js';
import type { FromGateway, ToGateway } from './messages.js';

/** A gateway in a process of its own, told what to do over IPC. It ends when it is told to, or when the parent is gone. */
let gateway: Gateway | undefined;

process.on('message', (message: ToGateway) => {
  void receive(message);
});
process.on('disconnect', () => process.exit(1));
// Ctrl-C goes to the whole foreground group; the parent decides when this process stops.
process.on('SIGINT', () => {});

async function receive(message: ToGateway): Promise<void> {
  if (message.kind === 'start') return start(message.spec);
  if (message.kind === 'stop') return stop();
  if (!gateway) return;
  if (message.kind === 'join') gateway.join(message.pool, message.replica);
  if (message.kind === 'leave') await gateway.leave(message.pool, message.name);
  send({ kind: 'done', n: message.n, counts: gateway.counts() });
}

async function start(spec: GatewaySpec): Promise<void> {
  try {
    if (spec.cpus !== undefined) spawnSync('taskset', ['-a', '-c', '-p', spec.cpus, String(process.pid)]);
    gateway = await startGateway(spec);
    send({ kind: 'ready', url: gateway.url, grpc: gateway.grpc, pid: process.pid });
  } catch (error) {
    const problems = error instanceof UserError ? error.problems : null;
    send({ kind: 'failed', error: messageOf(error), problems }, () => process.exit(1));
  }
}

async function stop(): Promise<void> {
  await gateway?.close();
  process.exit(0);
}

function send(message: FromGateway, sent: () => void = () => {}): void {
  if (process.connected) process.send?.(message, sent);
}
