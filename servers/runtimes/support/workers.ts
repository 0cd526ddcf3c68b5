import { Worker } from 'node:worker_threads';
import { nowNs } from '../../../results/clock.js';
import { compiledUrl } from '../../../results/compiled.js';
import { messageOf, UserError } from '../../../results/errors.js';
import type { RuntimeMetadata, RuntimeTensor } from '../contract.js';
import type { FromWorker, ToWorker, WorkerSpec } from './worker-messages.js';

/** What a worker did for one task. */
export interface TaskResult {
  readonly outputs: readonly RuntimeTensor[];
  readonly computeNs: number;
  /** Both ways between this thread and the worker, without waiting for what the worker did before. */
  readonly handOverNs: number;
}

/** A worker thread with sessions of its own. Tasks given to it wait in its mailbox and are done in order. */
export interface ParallelWorker {
  /** As asked for, and the processors that it is pinned to: `stage 0`, `stage 0 on CPU 0,2`. */
  readonly name: string;
  /** Of its models, in order. */
  readonly metadata: readonly RuntimeMetadata[];
  /** Tasks given and not ended. */
  pending(): number;
  /** The inputs' buffers are transferred. Rejects where the session throws or the worker dies. */
  run(model: number, inputs: readonly RuntimeTensor[], rows: number, outputs?: readonly string[]): Promise<TaskResult>;
}

/** All workers of a runtime. */
export interface Crew {
  readonly workers: readonly ParallelWorker[];
  /** Resolves when one of them dies; nothing else can replace it than a new crew. */
  readonly lost: Promise<Error>;
  /** Lets what runs end. */
  close(): Promise<void>;
}

/** Starts all of them at once; where one refuses, none keeps running. Throws UserError with the refusal. */
export async function startCrew(specs: readonly WorkerSpec[]): Promise<Crew> {
  const started = await Promise.allSettled(specs.map(startWorker));
  const workers = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const close = async () => {
    await Promise.all(workers.map((worker) => worker.close()));
  };
  const refused = started.find((each) => each.status === 'rejected');
  if (refused === undefined) return { workers, close, lost: Promise.race(workers.map(({ died }) => died)) };
  await close();
  throw refused.reason;
}

interface StartedWorker extends ParallelWorker {
  /** Resolves when it ended without being asked to. */
  readonly died: Promise<Error>;
  close(): Promise<void>;
}

interface Task {
  readonly postedNs: number;
  readonly resolve: (result: TaskResult) => void;
  readonly reject: (error: Error) => void;
}

function startWorker(spec: WorkerSpec): Promise<StartedWorker> {
  const thread = new Worker(compiledUrl(import.meta.url, './parallel-worker.js'), { workerData: spec, execArgv: [] });
  const tasks = new Map<number, Task>();
  let count = 0;
  let lastEndNs = 0;
  let death: Error | undefined;
  let closing = false;
  let tellDeath: (error: Error) => void;
  const died = new Promise<Error>((resolve) => {
    tellDeath = resolve;
  });
  const ended = new Promise<void>((resolve) => thread.on('exit', () => resolve()));
  const post = (message: ToWorker, transfer: ArrayBuffer[] = []) => thread.postMessage(message, transfer);
  const finish = (message: Extract<FromWorker, { kind: 'done' | 'threw' }>) => {
    const now = nowNs();
    const task = tasks.get(message.n)!;
    tasks.delete(message.n);
    if (message.kind === 'threw') {
      task.reject(new Error(`${spec.name}: ${message.error}`));
      return;
    }
    const { outputs, startNs, endNs } = message;
    // A task that lay in the mailbox while another ran was not on its way for so long.
    const there = startNs - Math.max(task.postedNs, lastEndNs);
    lastEndNs = endNs;
    task.resolve({ outputs, computeNs: endNs - startNs, handOverNs: there + (now - endNs) });
  };
  const worker = ({ metadata, cpus }: Extract<FromWorker, { kind: 'ready' }>): StartedWorker => ({
    name: cpus === undefined ? spec.name : `${spec.name} on CPU ${cpus}`,
    metadata,
    died,
    pending: () => tasks.size,
    run: (model, inputs, rows, outputs) =>
      new Promise((resolve, reject) => {
        if (death) {
          reject(death);
          return;
        }
        const n = ++count;
        tasks.set(n, { postedNs: nowNs(), resolve, reject });
        post(
          { kind: 'execute', n, model, inputs, rows, outputs },
          inputs.map(({ buffer }) => buffer),
        );
      }),
    close: async () => {
      closing = true;
      post({ kind: 'stop' });
      await ended;
    },
  });
  return new Promise((resolve, reject) => {
    thread.on('message', (message: FromWorker) => {
      if (message.kind === 'ready') resolve(worker(message));
      else if (message.kind === 'refused') {
        post({ kind: 'stop' });
        reject(message.problems ? new UserError(message.problems) : new Error(`${spec.name}: ${message.error}`));
      } else finish(message);
    });
    const die = (how: string) => {
      death ??= new Error(`the worker of ${spec.name} died (${how})`);
      // Before the tasks hear of it: who is told of both knows the reason first.
      if (!closing) tellDeath(death);
      for (const task of tasks.values()) task.reject(death);
      tasks.clear();
      reject(death);
    };
    thread.on('error', (error) => die(`threw: ${messageOf(error)}`));
    thread.on('exit', (code) => die(`exit code ${code}`));
  });
}
