import { nowNs } from '../results/clock.js';
import type { Processing } from '../servers/processing/index.js';
import type { Tensor } from '../servers/protocol/index.js';
import type { SampleLibrary } from './samples/index.js';
import type { CallResult, Encoded, Transport } from './transports/index.js';

/** What the load process does itself of a model's processing, request by request, while its time runs. */
export interface ClientProcessing {
  /** Calls back with the payload, at once where the processor is; or with what is wrong with the sample. */
  prepare(sample: number, done: (made: { readonly payload: Encoded } | { readonly error: string }) => void): void;
  /** Calls back with the result as the user gets it: its time is then. */
  finish(result: CallResult, done: (result: CallResult) => void): void;
}

/** Processors on the client's side of the wire. Payloads are made anew for each request, as a client would. */
export function clientProcessing(
  { pre, post }: Processing,
  transport: Transport,
  samples: SampleLibrary,
  modelName: string,
): ClientProcessing {
  const outputs = post?.inputs.map(({ name }) => ({ name }));
  return {
    prepare(sample, done) {
      const encode = (inputs: readonly Tensor[]) =>
        done({ payload: transport.encode({ modelName, inputs, ...(outputs ? { outputs } : {}) }) });
      whenMade(
        () => (pre ? pre.run(samples.inputs(sample)) : samples.inputs(sample)),
        encode,
        () => done({ error: 'preprocess' }),
      );
    },
    finish(result, done) {
      if (!post || result.outcome !== 'ok' || !result.response) {
        done(result);
        return;
      }
      const { response } = result;
      whenMade(
        () => post.run(response().outputs),
        (made) => done({ ...result, completedNs: nowNs(), response: () => ({ ...response(), outputs: made }) }),
        () => done({ ...result, completedNs: nowNs(), outcome: 'failed', errorCode: 'postprocess' }),
      );
    },
  };
}

/** Without a turn of the event loop where the value is there at once. */
function whenMade<T>(make: () => T | Promise<T>, use: (value: T) => void, failed: () => void): void {
  let made: T | Promise<T>;
  try {
    made = make();
  } catch {
    failed();
    return;
  }
  if (made instanceof Promise) made.then(use, failed);
  else use(made);
}
