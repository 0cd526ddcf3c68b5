import { nowNs } from '../../results/clock.js';
import { UserError } from '../../results/errors.js';
import type { InferenceService, InferOutcome, InferRequest, InferTicket } from '../../servers/protocol/index.js';
import type {
  CallHandle,
  CallOutcome,
  CallResult,
  Transport,
  TransportDefinition,
  TransportOptions,
} from './contract.js';
import { Deadlines, type Pending } from './deadlines.js';
import { brokenCall, outcomeOf } from './outcomes.js';

/** The server core called directly: what a request costs without a network or an encoding. The baseline of the others. */
export const inProcess = {
  name: 'in-process',
  summary: 'Function calls within one process: the baseline without a network',
  endpoint: 'none',
  create(options) {
    if (options.service) return inProcessTransport(options, options.service);
    throw new UserError({
      place: 'transport in-process',
      found: 'there is no server in this process',
      remedy: 'Use rest, rest-binary or grpc for a server that runs by itself',
    });
  },
} as const satisfies TransportDefinition;

function inProcessTransport(options: TransportOptions, service: InferenceService): Transport {
  const deadlines = new Deadlines(options.timeoutNs);
  return {
    ready: async () => service.modelReady(options.model),
    modelMetadata: async () => service.modelMetadata(options.model),
    statistics: async () => service.modelStatistics(options.model)[0],
    encode: (request) => request,
    infer(encoded, done) {
      const startNs = nowNs();
      const call = new DirectCall(done);
      deadlines.add(call, startNs);
      call.ticket = service.infer(encoded as InferRequest, startNs, (outcome) => call.answer(outcome));
      return call;
    },
    async close() {
      deadlines.close();
    },
  };
}

class DirectCall implements CallHandle, Pending {
  settled = false;
  ticket: InferTicket | undefined;

  constructor(private readonly done: (result: CallResult) => void) {}

  answer(outcome: InferOutcome): void {
    if (this.settled) return;
    const completedNs = nowNs();
    if (outcome.ok) {
      const { response, timings } = outcome;
      this.settle({ outcome: 'ok', firstByteNs: completedNs, completedNs, timings, response: () => response });
    } else {
      const { error, timings } = outcome;
      this.settle({
        ...brokenCall(outcomeOf(error.code), completedNs, error.reason ?? error.code, error.message),
        timings,
      });
    }
  }

  cancel(): void {
    this.stop('cancelled', 'cancelled', 'cancelled by the client');
  }

  expire(): void {
    this.stop('timedOut', 'client-timeout', 'no answer within the timeout');
  }

  private stop(outcome: CallOutcome, code: string, message: string): void {
    if (this.settled) return;
    this.ticket?.cancel();
    this.settle(brokenCall(outcome, nowNs(), code, message));
  }

  private settle(result: CallResult): void {
    this.settled = true;
    this.done(result);
  }
}
