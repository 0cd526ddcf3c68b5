import { z } from 'zod';
import { duration } from '../../results/units.js';
import { count, positive } from '../strategies/support/options.js';
import { defineController } from './contract.js';
import { Scaling, scalingShape } from './support/scaling.js';
import { answering, at } from './support/steps.js';

const options = z
  .strictObject({
    lagThreshold: z.number().positive().default(10),
    activationLagThreshold: z.number().nonnegative().default(0),
    cooldownPeriod: duration().default(300e9),
    minReplicas: count().default(0),
    maxReplicas: positive().default(100),
    /** Replicas while nothing happens, where they differ from minReplicas. */
    idleReplicas: count().optional(),
    allowIdleConsumers: z.boolean().default(false),
    /** minReplicas where absent. */
    initialReplicas: count().optional(),
    hpa: z.strictObject(scalingShape).prefault({}),
  })
  .refine(({ minReplicas, maxReplicas }) => minReplicas <= maxReplicas, {
    path: ['minReplicas'],
    error: 'must not exceed maxReplicas',
  });
type Options = z.output<typeof options>;

const poll = z.object({
  at: at(),
  lag: z.number().nonnegative(),
  partitions: count().optional(),
  replicas: count().optional(),
});
type Poll = z.output<typeof poll>;

/** Scales consumers by the lag of a queue, down to none when it has been quiet. One step is one poll and one HPA sync. */
export const kedaQueue = defineController({
  name: 'keda-queue',
  summary: 'KEDA: replicas by queue lag, to zero after a cool-down',
  source: 'KEDA executor and Kafka scaler',
  options,
  create(given) {
    const scaler = new QueueScaler(given);
    return answering('keda-queue', poll, (step) => scaler.step(step));
  },
});

class QueueScaler {
  readonly #options: Options;
  readonly #hpaMin: number;
  readonly #idle: number;
  readonly #scaling: Scaling;
  #last: number;
  #lastActive: number | undefined;

  constructor(options: Options) {
    this.#options = options;
    this.#hpaMin = Math.max(1, options.minReplicas);
    this.#idle = options.idleReplicas ?? options.minReplicas;
    this.#scaling = new Scaling(options.hpa, { minReplicas: this.#hpaMin, maxReplicas: options.maxReplicas });
    this.#last = options.initialReplicas ?? options.minReplicas;
  }

  step(given: Poll): { active: boolean; wanted: number; replicas: number } {
    const current = given.replicas ?? this.#last;
    const active = given.lag > this.#options.activationLagThreshold;
    if (active) this.#lastActive = given.at;
    const lag = this.#usefulLag(given);
    const wanted = this.#clamp(Math.ceil(lag / this.#options.lagThreshold));
    const replicas =
      this.#betweenZeroAndMin(current, active, given.at) ?? this.#underHpa(current, lag, wanted, given.at);
    this.#scaling.changed(current, replicas, given.at);
    this.#last = replicas;
    return { active, wanted, replicas };
  }

  /** A consumer without a partition would idle: lag beyond one threshold a partition calls for none. */
  #usefulLag({ lag, partitions }: Poll): number {
    if (this.#options.allowIdleConsumers || partitions === undefined) return lag;
    return Math.min(lag, partitions * this.#options.lagThreshold);
  }

  /** KEDA's own part: it wakes and idles the workload. undefined where the HPA rules. */
  #betweenZeroAndMin(current: number, active: boolean, now: number): number | undefined {
    const canIdle = this.#idle < this.#hpaMin;
    if (active && current <= (this.#options.idleReplicas ?? 0)) return this.#hpaMin;
    if (!active && current > this.#idle && canIdle && this.#isQuiet(now)) return this.#idle;
    return current === 0 || (current === this.#idle && canIdle) ? current : undefined;
  }

  #isQuiet(now: number): boolean {
    return this.#lastActive === undefined || now - this.#lastActive > this.#options.cooldownPeriod;
  }

  #underHpa(current: number, lag: number, wanted: number, now: number): number {
    const ratio = lag / (this.#options.lagThreshold * current);
    const recommended = this.#scaling.within(ratio) ? current : wanted;
    const stabilized = this.#scaling.stabilize(current, recommended, now);
    return this.#clamp(this.#scaling.limit(current, stabilized, now));
  }

  #clamp(replicas: number): number {
    return Math.min(this.#options.maxReplicas, Math.max(this.#hpaMin, replicas));
  }
}
