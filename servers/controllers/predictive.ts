import { z } from 'zod';
import { duration } from '../../results/units.js';
import { count } from '../strategies/support/options.js';
import { defineController } from './contract.js';
import { answering, at } from './support/steps.js';

const share = () => z.number().gt(0).max(1);

const options = z
  .strictObject({
    /** Requests a second that one replica answers within the objective. */
    ratePerReplica: z.number().positive(),
    /** Share of that rate that a replica should carry. */
    targetUtilization: share().default(0.7),
    /** How far ahead a replica must be ordered: its start-up time and a sync. */
    horizon: duration().default(60e9),
    /** Weight of the newest value in level and trend. */
    alpha: share().default(0.5),
    beta: share().default(0.2),
    minReplicas: count().default(1),
    /** 0 = no limit. */
    maxReplicas: count().default(0),
    /** Replicas go only when the forecast stays below for so long. */
    scaleDownDelay: duration().default(300e9),
  })
  .refine(({ minReplicas, maxReplicas }) => maxReplicas === 0 || minReplicas <= maxReplicas, {
    path: ['minReplicas'],
    error: 'must not exceed maxReplicas',
  });
type Options = z.output<typeof options>;

const sample = z.object({ at: at(), rate: z.number().nonnegative() });

/** What the next horizon will bring by level and trend, and the replicas for it; down only after a delay. */
export const predictive = defineController({
  name: 'predictive',
  summary: 'Replicas for the rate that level and trend promise when a new one would be up (Holt)',
  source:
    'Holt, Forecasting seasonals and trends by exponentially weighted moving averages (1957); steps of any length',
  options,
  create(given) {
    const scaler = new Forecaster(given);
    return answering('predictive', sample, (step) => scaler.step(step.at, step.rate));
  },
});

class Forecaster {
  #last: { readonly at: number; readonly level: number; readonly trend: number } | undefined;
  /** Recent answers before the delay, newest last. */
  #wanted: { readonly at: number; readonly replicas: number }[] = [];

  constructor(readonly options: Options) {}

  /** `trend` is per second; the forecast is never negative. */
  step(now: number, rate: number): { forecast: number; level: number; trend: number; replicas: number } {
    const { ratePerReplica, targetUtilization, horizon, minReplicas, maxReplicas, scaleDownDelay } = this.options;
    const { level, trend } = this.#smooth(now, rate);
    const forecast = Math.max(0, level + (trend * horizon) / 1e9);
    const most = maxReplicas === 0 ? Number.POSITIVE_INFINITY : maxReplicas;
    const wanted = Math.min(most, Math.max(minReplicas, Math.ceil(forecast / (ratePerReplica * targetUtilization))));
    this.#wanted = this.#wanted.filter(({ at: then }) => now - then <= scaleDownDelay);
    this.#wanted.push({ at: now, replicas: wanted });
    return { forecast, level, trend, replicas: Math.max(...this.#wanted.map(({ replicas }) => replicas)) };
  }

  #smooth(now: number, rate: number): { readonly level: number; readonly trend: number } {
    const { alpha, beta } = this.options;
    const last = this.#last;
    const seconds = last === undefined ? 0 : (now - last.at) / 1e9;
    if (last === undefined || seconds <= 0) {
      this.#last = { at: now, level: rate, trend: last?.trend ?? 0 };
      return this.#last;
    }
    const level = alpha * rate + (1 - alpha) * (last.level + last.trend * seconds);
    const trend = beta * ((level - last.level) / seconds) + (1 - beta) * last.trend;
    this.#last = { at: now, level, trend };
    return this.#last;
  }
}
