import { z } from 'zod';
import { percentile } from '../../results/stats/percentile.js';
import { duration } from '../../results/units.js';
import { bucketOf } from '../strategies/support/hash.js';
import { count } from '../strategies/support/options.js';
import { defineController } from './contract.js';
import { answering, at, operations } from './support/steps.js';

const basisPoints = () => count().max(10_000);

const options = z.strictObject({
  experiment: z.string(),
  /** The canary's share in each stage. */
  ramp: z.array(basisPoints()).min(1),
  stepTime: duration().default(60e9),
  minSamples: count().default(20),
  maxErrorBasisPoints: basisPoints().default(100),
  /** Bound on a stage's p99; 0 = off. */
  maxLatency: duration().default(0),
  start: z.number().default(0),
});
type Options = z.output<typeof options>;

const result = z.object({ at: at(), arm: z.enum(['canary', 'primary']), ok: z.boolean(), latencyNs: z.number() });

/** Gives a new version a growing share of the users, and takes it away for good when it errs or is slow. */
export const routeCanary = defineController({
  name: 'route-canary',
  summary: 'Canary roll-out: the share grows by stages, errors or a slow p99 roll it back',
  source: 'progressive delivery as in Argo Rollouts and Flagger',
  options,
  create(given) {
    const canary = new Canary(given);
    const place = 'route-canary';
    return operations(place, {
      route: answering(`${place}.route`, z.object({ at: at(), user: z.string() }), (step) => canary.route(step.user)),
      result: answering(`${place}.result`, result, (step) => {
        if (step.arm === 'canary') canary.learn(step.at, step.ok, step.latencyNs);
        return canary.status();
      }),
    });
  },
});

class Canary {
  #state: 'ramping' | 'done' | 'rolled-back' = 'ramping';
  #stage = 0;
  #stageStart: number;
  #failures = 0;
  /** Of this stage's results, failures included. */
  #latencies: number[] = [];

  constructor(readonly options: Options) {
    this.#stageStart = options.start;
  }

  route(user: string): { bucket: number; arm: 'canary' | 'primary' } {
    const bucket = bucketOf(this.options.experiment, user);
    return { bucket, arm: bucket < this.#share() ? 'canary' : 'primary' };
  }

  status(): { state: string; stage: number; basisPoints: number } {
    return { state: this.#state, stage: this.#stage, basisPoints: this.#share() };
  }

  /** A result of the canary; it counts while the share grows. */
  learn(now: number, ok: boolean, latencyNs: number): void {
    if (this.#state !== 'ramping') return;
    this.#latencies.push(latencyNs);
    if (!ok) this.#failures++;
    if (this.#latencies.length < this.options.minSamples) return;
    if (this.#errs() || this.#isSlow()) this.#state = 'rolled-back';
    else if (now - this.#stageStart >= this.options.stepTime) this.#advance(now);
  }

  #share(): number {
    if (this.#state === 'ramping') return this.options.ramp[this.#stage]!;
    return this.#state === 'done' ? 10_000 : 0;
  }

  #errs(): boolean {
    return this.#failures * 10_000 > this.options.maxErrorBasisPoints * this.#latencies.length;
  }

  #isSlow(): boolean {
    const { maxLatency } = this.options;
    return (
      maxLatency > 0 &&
      percentile(
        this.#latencies.toSorted((a, b) => a - b),
        0.99,
      ) > maxLatency
    );
  }

  #advance(now: number): void {
    if (this.#stage === this.options.ramp.length - 1) {
      this.#state = 'done';
      return;
    }
    this.#stage++;
    this.#stageStart = now;
    this.#failures = 0;
    this.#latencies = [];
  }
}
