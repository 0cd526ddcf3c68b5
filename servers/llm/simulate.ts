import { ascending, percentile } from '../../results/stats/index.js';
import type { Iteration, LlmRequest, LlmScheduler } from './contract.js';

/** An iteration lasts baseNs + prefillTokenNs × prefilled tokens + decodeSeqNs × decoded sequences. */
export interface IterationCost {
  readonly baseNs: number;
  readonly prefillTokenNs: number;
  readonly decodeSeqNs: number;
}

export interface ListedIteration {
  readonly start: number;
  readonly end: number;
  readonly prefill: readonly (readonly [id: string, tokens: number])[];
  readonly decode: readonly string[];
  /** After planning. */
  readonly freeBlocks: number;
  /** Where there are any. */
  readonly preempted?: readonly string[];
}

/** What a simulation gives, in the form of a conformance vector's `expect`; all times absolute, in ns. */
export interface LlmRun {
  readonly iterations: readonly ListedIteration[];
  /** Of the accepted, in order of arrival. */
  readonly sequences: readonly { readonly id: string; readonly firstTokenNs: number; readonly endNs: number }[];
  readonly rejected: readonly { readonly request: string; readonly at: number; readonly reason: string }[];
  readonly summary: {
    readonly iterations: number;
    /** Output tokens. */
    readonly tokens: number;
    /** Of the last iteration's end or arrival; 0 without any. */
    readonly lastEndNs: number;
    readonly preemptions: number;
    /** From arrival; null without an accepted request. */
    readonly p50FirstTokenNs: number | null;
  };
}

/**
 * Run a scheduler in virtual time until everything is answered. `requests` are sorted by `at`. At one instant the iteration
 * ends first, then requests arrive, then the next iteration is planned.
 */
export function simulateLlm(scheduler: LlmScheduler, requests: readonly LlmRequest[], cost: IterationCost): LlmRun {
  const journal = new Journal();
  let running: { readonly iteration: Iteration; readonly end: number } | undefined;
  let next = 0;
  for (;;) {
    const now = Math.min(running?.end ?? Number.POSITIVE_INFINITY, requests[next]?.at ?? Number.POSITIVE_INFINITY);
    if (now === Number.POSITIVE_INFINITY) return journal.run();
    journal.now = now;
    if (running?.end === now) {
      journal.ended(scheduler, running.iteration);
      running = undefined;
    }
    for (; requests[next]?.at === now; next++) journal.arrived(requests[next]!, scheduler.offer(requests[next]!));
    if (running !== undefined) continue;
    const iteration = scheduler.plan();
    if (iteration === undefined) continue;
    running = { iteration, end: now + durationOf(iteration, cost) };
    journal.started(iteration, running.end);
  }
}

function durationOf({ prefill, decode }: Iteration, { baseNs, prefillTokenNs, decodeSeqNs }: IterationCost): number {
  const tokens = prefill.reduce((sum, [, count]) => sum + count, 0);
  return baseNs + prefillTokenNs * tokens + decodeSeqNs * decode.length;
}

interface Times {
  readonly request: LlmRequest;
  firstTokenNs: number;
  endNs: number;
}

/** Writes down what happens. */
class Journal {
  now = 0;
  readonly #iterations: ListedIteration[] = [];
  /** By request, in order of arrival. */
  readonly #times = new Map<LlmRequest, Times>();
  readonly #rejected: { request: string; at: number; reason: string }[] = [];
  #tokens = 0;
  #preemptions = 0;

  arrived(request: LlmRequest, refused: string | undefined): void {
    if (refused === undefined) this.#times.set(request, { request, firstTokenNs: Number.NaN, endNs: Number.NaN });
    else this.#rejected.push({ request: request.id, at: this.now, reason: refused });
  }

  started({ prefill, decode, preempted, freeBlocks }: Iteration, end: number): void {
    this.#preemptions += preempted.length;
    this.#iterations.push({
      start: this.now,
      end,
      prefill: prefill.map(([{ request }, tokens]) => [request.id, tokens]),
      decode: decode.map(({ request }) => request.id),
      freeBlocks,
      ...(preempted.length > 0 && { preempted: preempted.map(({ request }) => request.id) }),
    });
  }

  ended(scheduler: LlmScheduler, iteration: Iteration): void {
    const { tokens, ended } = scheduler.finished(iteration);
    this.#tokens += tokens.length;
    for (const { request } of tokens) {
      const times = this.#times.get(request)!;
      // A sequence that is computed again yields tokens at the end of a prefill anew: its first token stays the first.
      if (Number.isNaN(times.firstTokenNs)) times.firstTokenNs = this.now;
    }
    for (const { request } of ended) this.#times.get(request)!.endNs = this.now;
  }

  run(): LlmRun {
    const times = [...this.#times.values()];
    return {
      iterations: this.#iterations,
      sequences: times.map(({ request, firstTokenNs, endNs }) => ({ id: request.id, firstTokenNs, endNs })),
      rejected: this.#rejected,
      summary: {
        iterations: this.#iterations.length,
        tokens: this.#tokens,
        lastEndNs: this.now,
        preemptions: this.#preemptions,
        p50FirstTokenNs: p50(times.map(({ request, firstTokenNs }) => firstTokenNs - request.at)),
      },
    };
  }
}

/** sorted[⌊n / 2⌋], the rule of the vectors; null without values. */
function p50(values: readonly number[]): number | null {
  return values.length === 0 ? null : percentile(ascending(values), 0.5);
}
