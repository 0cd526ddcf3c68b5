import { nowNs } from '../results/clock.js';
import { messageOf } from '../results/errors.js';
import { aroundModel } from './around-model.js';
import type { HostedModel } from './hosted-model.js';
import type { Processing, Processor } from './processing/index.js';
import { ProtocolError } from './protocol/errors.js';
import type { InferOutcome, InferRequest, InferTicket, ModelMetadata, Tensor } from './protocol/index.js';
import { requestValidator } from './protocol/validate.js';

/**
 * A model with what stands before and behind it: requests carry what the preprocessor takes, answers what the postprocessor
 * gives. Both run on the server's main thread, one request at a time, before the request is queued and after its execution:
 * what they cost every other request there is theirs, and shows in its `receive` and `computeOutput`. Their own time travels
 * as `preprocess` (from decoded to queued) and `postprocess`. A request whose content is refused fails alone; `refused` hears
 * of it, for the statistics.
 */
export function processedModel(
  inner: HostedModel,
  { pre, post }: Processing,
  refused: (ns: number) => void = () => {},
): HostedModel {
  const metadata: ModelMetadata = {
    ...inner.metadata,
    inputs: pre?.inputs ?? inner.metadata.inputs,
    outputs: post?.outputs ?? inner.metadata.outputs,
  };
  // Any number of rows: the model behind has the limit.
  const validate = requestValidator(metadata, Number.POSITIVE_INFINITY);
  const outputs = post?.inputs.map(({ name }) => ({ name }));
  const open = new OpenCalls();
  return {
    ...aroundModel(inner, metadata),
    async drained() {
      await open.none();
      await inner.drained();
    },
    infer(request, receivedNs, done) {
      const call = new Call(request, receivedNs, done, post, open, refused);
      try {
        validate(request);
        const made = pre ? pre.run(request.inputs) : request.inputs;
        const handOn = (inputs: readonly Tensor[]) => {
          const own = outputs ? { ...request, inputs, outputs } : { ...request, inputs };
          call.handOn(inner, own);
        };
        if (made instanceof Promise) made.then(handOn).catch((error: unknown) => call.fail(error));
        else handOn(made);
      } catch (error) {
        call.fail(error);
      }
      return call;
    },
  };
}

/** One request on its way through. */
class Call implements InferTicket {
  readonly #beginNs = nowNs();
  #preprocessNs = 0;
  #inner: InferTicket | undefined;
  #isOver = false;

  constructor(
    readonly request: InferRequest,
    readonly receivedNs: number,
    readonly done: (outcome: InferOutcome) => void,
    readonly post: Processor | undefined,
    readonly open: OpenCalls,
    readonly refused: (ns: number) => void,
  ) {
    open.add();
  }

  handOn(model: HostedModel, request: InferRequest): void {
    if (this.#isOver) return;
    this.#preprocessNs = nowNs() - this.#beginNs;
    this.#inner = model.infer(request, this.receivedNs, (outcome) => {
      if (outcome.ok) this.#answer(outcome);
      else this.#end(outcome);
    });
  }

  /** Its content, or ours. */
  fail(error: unknown): void {
    if (!this.#isOver) this.refused(nowNs() - this.#beginNs);
    this.#end({ ok: false, error: error instanceof ProtocolError ? error : internal(error) });
  }

  cancel(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#inner?.cancel();
    this.open.remove();
  }

  #answer(outcome: Extract<InferOutcome, { ok: true }>): void {
    const beginNs = nowNs();
    const finish = (all: readonly Tensor[]): void => {
      const { timings, response } = outcome;
      timings.preprocessNs = this.#preprocessNs;
      timings.postprocessNs = nowNs() - beginNs;
      timings.receiveNs -= this.#preprocessNs;
      const { outputs: wanted } = this.request;
      const outputs = wanted?.length ? all.filter(({ name }) => wanted.some((each) => each.name === name)) : all;
      this.#end({ ok: true, response: { ...response, outputs }, timings });
    };
    try {
      const made = this.post ? this.post.run(outcome.response.outputs) : outcome.response.outputs;
      if (made instanceof Promise) made.then(finish).catch((error: unknown) => this.fail(error));
      else finish(made);
    } catch (error) {
      this.fail(error);
    }
  }

  #end(outcome: InferOutcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.done(outcome);
    this.open.remove();
  }
}

/** How many requests are between the first processor and their answer. */
class OpenCalls {
  #count = 0;
  #waiting: (() => void)[] = [];

  add(): void {
    this.#count++;
  }

  remove(): void {
    if (--this.#count > 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Resolves when there are none. */
  none(): Promise<void> {
    return this.#count === 0 ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }
}

function internal(error: unknown): ProtocolError {
  return new ProtocolError('INTERNAL', `processing failed: ${messageOf(error)}`);
}
