import { readlinkSync } from 'node:fs';
import { isMainThread, parentPort } from 'node:worker_threads';
import { nowNs } from '../../results/clock.js';
import { messageOf, UserError } from '../../results/errors.js';
import type { Runtime, RuntimeMetadata, RuntimeTensor } from '../runtimes/index.js';
import { createRuntime } from '../runtimes/index.js';
import type { Batch, FromWorker, InstanceSpec, ToWorker, WarmUpSample } from './instance.js';
import { warmUpInputs } from './warm-up-inputs.js';
import { zeroInputs } from './zero-inputs.js';

/** The inside of an instance, in a worker thread or a child process: loads its models and executes what comes. */
let runtime: Runtime | undefined;
const others = new Map<string, Runtime>();
let tail: Promise<void> = Promise.resolve();
/** The runtime can do nothing any more: the end of this worker fails what it has, and its instance starts another. */
let lost = false;

listen((message) => {
  const receivedNs = nowNs();
  // In turn: runs on one session must not overlap, and `stop` comes after what was sent before it.
  tail = tail.then(() => handle(message, receivedNs));
});

async function handle(message: ToWorker, receivedNs: number): Promise<void> {
  if (message.kind === 'execute') await execute(message.n, message.batch, receivedNs);
  else if (message.kind === 'start') await start(message.spec);
  else await stop();
}

async function start(spec: InstanceSpec): Promise<void> {
  try {
    runtime = await createRuntime(spec.runtime, spec.modelPath, spec.runtimeOptions);
    for (const [name, other] of Object.entries(spec.others ?? {}))
      others.set(name, await createRuntime(other.runtime, other.modelPath, other.runtimeOptions));
    const all = [runtime, ...others.values()];
    for (const each of all) void each.lost?.then(endWith);
    if (spec.warmUp) await runSamples(runtime, spec.warmUp);
    for (const each of spec.warmUp ? others.values() : all) await warmUp(each, spec.warmUpExecutions);
    const ofOthers: [string, RuntimeMetadata][] = [...others].map(([name, { metadata }]) => [name, metadata]);
    const metadata = { ...runtime.metadata, ...(ofOthers.length > 0 && { others: Object.fromEntries(ofOthers) }) };
    send({ kind: 'ready', metadata, tid: threadId() });
  } catch (error) {
    send({
      kind: 'refused',
      error: messageOf(error),
      problems: error instanceof UserError ? error.problems : undefined,
    });
    await stop();
  }
}

/** A model whose dynamic dimensions do not allow rows of zeros goes without: its first requests are then its warm-up. */
async function warmUp(loaded: Runtime, executions: number): Promise<void> {
  try {
    for (let i = 0; i < executions; i++) await loaded.execute(zeroInputs(loaded.metadata.inputs, 1), 1);
  } catch (error) {
    process.stderr.write(`warm-up with zeros failed: ${messageOf(error)}\n`);
  }
}

/** Whoever asks for these wants them: one that fails is a start that fails. */
async function runSamples(loaded: Runtime, samples: readonly WarmUpSample[]): Promise<void> {
  for (const sample of samples)
    for (let i = 0; i < sample.count; i++)
      try {
        await loaded.execute(warmUpInputs(sample), sample.rows);
      } catch (error) {
        throw new Error(`warm-up "${sample.name}" failed: ${messageOf(error)}`);
      }
}

async function execute(n: number, batch: Batch, receivedNs: number): Promise<void> {
  try {
    const loaded = batch.model === undefined ? runtime! : others.get(batch.model)!;
    const startNs = nowNs();
    const outputs = await run(loaded, n, batch);
    const endNs = nowNs();
    const transfer = outputs.map((output) => output.buffer);
    send({ kind: 'done', n, outputs, receivedNs, startNs, endNs, parts: loaded.lastParts?.() }, transfer);
  } catch (error) {
    if (!lost) send({ kind: 'threw', n, error: messageOf(error) });
  }
}

async function endWith(reason: Error): Promise<void> {
  lost = true;
  process.stderr.write(`${reason.message}\n`);
  // Its other threads first: whoever ends a thread in a run of ONNX Runtime ends the process.
  await runtime?.close();
  process.exit(70);
}

/** All of it, or some stages; with checkpoints stage by stage, so that a kill loses no more than the stage that ran. */
async function run(loaded: Runtime, n: number, batch: Batch): Promise<RuntimeTensor[]> {
  const { inputs, rows, outputs: wanted, stages, checkpoints } = batch;
  if (stages === undefined) return loaded.execute(inputs, rows, wanted);
  const [from, to] = stages;
  let values = inputs;
  if (checkpoints)
    for (let at = from + 1; at < to; at++) {
      values = await loaded.executeStages!(values, rows, [at - 1, at]);
      send({ kind: 'stage', n, values: { at, values } });
    }
  return loaded.executeStages!(values, rows, [checkpoints ? to - 1 : from, to], wanted);
}

async function stop(): Promise<void> {
  for (const other of others.values()) await other.close();
  await runtime?.close();
  if (parentPort) parentPort.close();
  else process.disconnect();
}

function listen(handler: (message: ToWorker) => void): void {
  if (parentPort) {
    parentPort.on('message', handler);
    return;
  }
  process.on('message', handler);
  // Ctrl-C and `kill` of a whole process group reach this process too; the server decides when it stops.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
  // The server is gone: so are we.
  process.on('disconnect', () => process.exit(0));
}

function send(message: FromWorker, transfer: ArrayBuffer[] = []): void {
  if (parentPort) parentPort.postMessage(message, transfer);
  else process.send?.(message);
}

/** The kernel's id of this thread; undefined where there is no /proc. */
function threadId(): number | undefined {
  if (isMainThread) return process.pid;
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').at(-1));
  } catch {
    return undefined;
  }
}
