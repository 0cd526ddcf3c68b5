import { z } from 'zod';
import { duration } from '../../results/units.js';
import { count } from '../strategies/support/options.js';
import { defineController } from './contract.js';
import { answering, at } from './support/steps.js';

const window = (ns: number) =>
  duration()
    .refine((value) => value > 0, { error: 'must be longer than nothing' })
    .default(ns);

const options = z
  .strictObject({
    /** Requests in flight that a replica should have. */
    target: z.number().positive().default(100),
    targetUtilization: z.number().positive().default(0.7),
    stableWindow: window(60e9),
    panicWindow: window(6e9),
    /** Panic starts where the panic window wants so many times the ready replicas. */
    panicThreshold: z.number().positive().default(2),
    maxScaleUpRate: z.number().positive().default(1000),
    maxScaleDownRate: z.number().positive().default(2),
    minReplicas: count().default(0),
    /** 0 = no limit. */
    maxReplicas: count().default(0),
    initialReplicas: count().default(1),
  })
  .refine(({ minReplicas, maxReplicas }) => maxReplicas === 0 || minReplicas <= maxReplicas, {
    path: ['minReplicas'],
    error: 'must not exceed maxReplicas',
  });
type Options = z.output<typeof options>;

const sample = z.object({ at: at(), concurrency: z.number().nonnegative(), ready: count().optional() });

interface Answer {
  readonly stable: number;
  readonly panic: number;
  readonly panicking: boolean;
  readonly replicas: number;
}

/** Scales by requests in flight over a long window; a burst in a short one panics, and a panic never scales down. */
export const kpaConcurrency = defineController({
  name: 'kpa-concurrency',
  summary: 'Knative autoscaler: replicas by mean concurrency, with a panic mode',
  source: 'Knative Serving autoscaler, as KServe uses it',
  options,
  create(given) {
    const scaler = new ConcurrencyScaler(given);
    return answering('kpa-concurrency', sample, (step) => scaler.step(step.at, step.concurrency, step.ready));
  },
});

class ConcurrencyScaler {
  #samples: { readonly at: number; readonly concurrency: number }[] = [];
  #panicStart: number | undefined;
  /** The most that this panic has wanted. */
  #panicMost = 0;
  #last: number;

  constructor(readonly options: Options) {
    this.#last = options.initialReplicas;
  }

  step(now: number, concurrency: number, ready = this.#last): Answer {
    this.#keep(now, concurrency);
    const { stableWindow, panicWindow, maxScaleUpRate, maxScaleDownRate, minReplicas, maxReplicas } = this.options;
    const replicas = Math.max(1, ready);
    const up = Math.ceil(maxScaleUpRate * replicas);
    const down = Math.floor(replicas / maxScaleDownRate);
    const rated = (desired: number) => Math.min(Math.max(desired, down), up);
    const inPanicWindow = this.#desired(panicWindow, now);
    const stable = rated(this.#desired(stableWindow, now));
    const panic = rated(inPanicWindow);
    this.#updatePanic(inPanicWindow / replicas, now);
    const panicking = this.#panicStart !== undefined;
    if (panicking) this.#panicMost = Math.max(this.#panicMost, stable, panic);
    const most = maxReplicas === 0 ? Number.POSITIVE_INFINITY : maxReplicas;
    this.#last = Math.min(Math.max(panicking ? this.#panicMost : stable, minReplicas), most);
    return { stable, panic, panicking, replicas: this.#last };
  }

  #keep(at: number, concurrency: number): void {
    const longest = Math.max(this.options.stableWindow, this.options.panicWindow);
    this.#samples = this.#samples.filter((earlier) => at - earlier.at < longest);
    this.#samples.push({ at, concurrency });
  }

  /** Replicas for the mean of a window, which is open at its old end. */
  #desired(window: number, now: number): number {
    const inside = this.#samples.filter((each) => now - each.at < window);
    const mean = inside.reduce((sum, each) => sum + each.concurrency, 0) / inside.length;
    return Math.ceil(mean / (this.options.target * this.options.targetUtilization));
  }

  /** Every sample over the threshold prolongs the panic; it ends one stable window after the last. */
  #updatePanic(excess: number, now: number): void {
    if (excess >= this.options.panicThreshold) this.#panicStart = now;
    else if (this.#panicStart !== undefined && now - this.#panicStart > this.options.stableWindow) {
      this.#panicStart = undefined;
      this.#panicMost = 0;
    }
  }
}
