import { nowNs } from '../../results/clock.js';
import { GraphRun, graphOutputs, type InferRequest, type RequestGraph } from '../../servers/protocol/index.js';
import type { CallHandle, CallResult, Transport } from './contract.js';
import { brokenCall } from './outcomes.js';

/**
 * A client that carries out a graph of requests itself: each step over the network, its answer decoded, renamed and sent on with
 * the next. One call here is one walk through the whole graph; its result has the times of the first byte and of the last of
 * the last step, and no server timings, for there are several requests. The first step that fails ends it.
 */
export function chained(inner: Transport, graph: RequestGraph): Transport {
  return {
    ready: (signal) => inner.ready(signal),
    modelMetadata: (signal) => inner.modelMetadata(signal),
    statistics: (signal) => inner.statistics(signal),
    close: () => inner.close(),
    encode: (request) => request,
    infer: (request, done) => new Walk(inner, graph, request as InferRequest, done),
  };
}

class Walk implements CallHandle {
  readonly #run: GraphRun;
  readonly #calls = new Map<number, CallHandle>();
  #firstByteNs = Number.NaN;
  #over = false;

  constructor(
    private readonly inner: Transport,
    private readonly graph: RequestGraph,
    request: InferRequest,
    private readonly done: (result: CallResult) => void,
  ) {
    this.#run = new GraphRun(graph, request);
    this.#advance();
  }

  cancel(): void {
    if (this.#over) return;
    for (const call of this.#calls.values()) call.cancel();
    this.#end(brokenCall('cancelled', nowNs(), 'cancelled', 'cancelled by the client'));
  }

  #advance(): void {
    for (const { step, request } of this.#run.ready()) {
      if (this.#over) return;
      let told = false;
      const call = this.inner.infer(this.inner.encode(request), (result) => {
        told = true;
        this.#calls.delete(step);
        if (!this.#over) this.#answered(step, result);
      });
      if (!told) this.#calls.set(step, call);
    }
  }

  #answered(step: number, result: CallResult): void {
    if (Number.isNaN(this.#firstByteNs)) this.#firstByteNs = result.firstByteNs;
    if (result.outcome !== 'ok') {
      for (const call of this.#calls.values()) call.cancel();
      this.#end(result);
      return;
    }
    if (!this.#run.answered(step, result.response!().outputs)) {
      this.#advance();
      return;
    }
    const { completedNs } = result;
    const outputs = this.#run.outputs(graphOutputs(this.graph));
    this.#end({
      outcome: 'ok',
      firstByteNs: this.#firstByteNs,
      completedNs,
      response: () => ({ modelName: '', outputs }),
    });
  }

  #end(result: CallResult): void {
    this.#over = true;
    this.done(result);
  }
}
