import { setTimeout as delay } from 'node:timers/promises';
import { nowNs } from '../../../results/clock.js';
import { messageOf } from '../../../results/errors.js';
import type { LoadedModel } from '../../load-model.js';
import { ProtocolError } from '../../protocol/errors.js';
import type { InferOutcome, InferRequest, InferTicket } from '../../protocol/index.js';

const DRAIN_MS = 8000;

/** A loaded model, from the decision to load it to its end. */
export class Copy {
  loaded: LoadedModel | undefined;
  /** Requests handed to it and not answered, those that wait for the load included. */
  outstanding = 0;
  /** How long the load took, once it is over. */
  loadNs = 0;
  /** Never rejects; `failure` says what went wrong. */
  readonly over: Promise<void>;
  failure: string | undefined;

  constructor(load: () => Promise<LoadedModel>) {
    const since = nowNs();
    this.over = load().then(
      (loaded) => {
        this.loaded = loaded;
        this.loadNs = nowNs() - since;
      },
      (error: unknown) => {
        this.failure = messageOf(error);
      },
    );
  }

  /** Asks it now, or as soon as it is loaded: then the wait is told as `loadNs`. */
  ask(request: InferRequest, receivedNs: number, done: (outcome: InferOutcome) => void): InferTicket {
    this.outstanding++;
    const answered = (outcome: InferOutcome) => {
      this.outstanding--;
      done(outcome);
    };
    const hand = (ticket: InferTicket): InferTicket => ({
      cancel: () => {
        this.outstanding--;
        ticket.cancel();
      },
    });
    if (this.loaded) return hand(this.loaded.service.infer(request, receivedNs, answered));
    let ticket: InferTicket | undefined;
    let cancelled = false;
    const since = nowNs();
    void this.over.then(() => {
      if (cancelled) return;
      const waitedNs = nowNs() - since;
      if (this.loaded)
        // Received so much later, for its executor: the wait is neither decoding nor queueing.
        ticket = this.loaded.service.infer(request, receivedNs + waitedNs, (outcome) =>
          answered(withLoad(outcome, waitedNs)),
        );
      else
        answered({
          ok: false,
          error: new ProtocolError('UNAVAILABLE', `it does not load: ${this.failure}`, 'not-loaded'),
        });
    });
    return hand({
      cancel: () => {
        cancelled = true;
        ticket?.cancel();
      },
    });
  }

  /** Answers what it has, then frees what it holds. */
  async close(): Promise<void> {
    await this.over;
    const service = this.loaded?.service;
    await Promise.race([service?.drained(), delay(DRAIN_MS, undefined, { ref: false })]);
    await service?.close();
  }
}

/** The copy with the fewest outstanding requests, loaded ones first; the first of equals. */
export function leastBusy(copies: readonly Copy[]): Copy | undefined {
  const before = (a: Copy, b: Copy) =>
    Number(a.loaded === undefined) - Number(b.loaded === undefined) || a.outstanding - b.outstanding;
  return [...copies].sort(before)[0];
}

function withLoad(outcome: InferOutcome, loadNs: number): InferOutcome {
  const { timings } = outcome;
  if (timings) {
    timings.loadNs = loadNs;
    if (timings.arrivalNs !== undefined) timings.arrivalNs -= loadNs;
  }
  return outcome;
}
