import { spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { nowNs } from '../../../results/clock.js';
import { messageOf, UserError } from '../../../results/errors.js';
import type { Runtime } from '../contract.js';
import { onnx } from '../onnx.js';
import type { FromWorker, ToWorker, WorkerSpec } from './worker-messages.js';

/** The inside of a parallel runtime's worker: its parts of the model, a session each, executed one at a time. */
const port = parentPort!;
const spec = workerData as WorkerSpec;
let sessions: Runtime[] = [];
let tail: Promise<void> = start();

port.on('message', (message: ToWorker) => {
  tail = tail.then(() => (message.kind === 'execute' ? execute(message) : stop()));
});

async function start(): Promise<void> {
  try {
    // Before there is a session: the threads that it starts inherit it.
    const cpus = spec.cpus === undefined ? undefined : pin(spec.cpus);
    const options = onnx.options.parse(spec.options);
    for (const path of spec.models) sessions.push(await onnx.create(path, options));
    send({ kind: 'ready', metadata: sessions.map(({ metadata }) => metadata), cpus });
  } catch (error) {
    const problems = error instanceof UserError ? error.problems : undefined;
    send({ kind: 'refused', error: messageOf(error), problems });
  }
}

async function execute(message: Extract<ToWorker, { kind: 'execute' }>): Promise<void> {
  const { n, model, inputs, rows, outputs: wanted } = message;
  try {
    const startNs = nowNs();
    const outputs = await sessions[model]!.execute(inputs, rows, wanted);
    const endNs = nowNs();
    send(
      { kind: 'done', n, outputs, startNs, endNs },
      outputs.map(({ buffer }) => buffer),
    );
  } catch (error) {
    send({ kind: 'threw', n, error: messageOf(error) });
  }
}

async function stop(): Promise<void> {
  for (const session of sessions) await session.close();
  sessions = [];
  port.close();
}

function send(message: FromWorker, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

/** This thread only: the kernel takes a thread's id where it takes a process's. Answers what the kernel made of it. */
function pin(cpus: string): string {
  const place = `cpus of ${spec.name}`;
  let tid: string;
  try {
    tid = readlinkSync('/proc/thread-self').split('/').at(-1)!;
  } catch {
    throw new UserError({ place, found: 'this system does not tell the id of a thread, so none can be pinned' });
  }
  const { status, error, stderr } = spawnSync('taskset', ['-cp', cpus, tid], { encoding: 'utf8' });
  if (status === 0)
    return /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync(`/proc/self/task/${tid}/status`, 'utf8'))![1]!;
  throw new UserError({
    place,
    found: `taskset can't pin it to ${cpus}: ${error ? messageOf(error) : stderr.trim().split('\n')[0]}`,
    remedy: 'Name processors of this machine (`servemark doctor` lists them), or leave cpus out',
  });
}
