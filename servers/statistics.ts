import type { ModelStatistics, PartStatistic, ServerTimings, StatisticDuration } from './protocol/index.js';
import type { ExecutionPart } from './runtimes/index.js';

/**
 * Triton's statistics of one model, added up from what the executor reports: three calls of a few additions each.
 *
 * `success` is queue + compute input + compute infer + compute output, as these are what the server itself can account
 * for; receiving and serialising belong to the frontend. A request that was answered without an execution (batch size 0) is
 * a cache hit and not an inference. Source: Triton "Statistics Extension".
 */
export class StatisticsCollector {
  private lastInference = 0;
  private inferenceCount = 0;
  private executionCount = 0;
  private readonly stats = {
    success: none(),
    fail: none(),
    queue: none(),
    compute_input: none(),
    compute_infer: none(),
    compute_output: none(),
    cache_hit: none(),
    cache_miss: none(),
  };
  private readonly batches = new Map<number, BatchTotals>();
  private readonly parts = new Map<string, { -readonly [Key in keyof PartStatistic]: PartStatistic[Key] }>();

  /** `wallClockMs` is milliseconds since the epoch. */
  constructor(
    readonly name: string,
    readonly version: string,
    private readonly wallClockMs: () => number = Date.now,
  ) {}

  /** A request of so many rows was answered. */
  requestSucceeded(rows: number, timings: ServerTimings): void {
    const { queueNs, computeInputNs, computeInferNs, computeOutputNs } = timings;
    const totalNs = queueNs + computeInputNs + computeInferNs + computeOutputNs;
    add(this.stats.success, totalNs);
    add(this.stats.queue, queueNs);
    if (timings.batchSize === 0) {
      add(this.stats.cache_hit, totalNs - queueNs);
      return;
    }
    add(this.stats.compute_input, computeInputNs);
    add(this.stats.compute_infer, computeInferNs);
    add(this.stats.compute_output, computeOutputNs);
    this.inferenceCount += rows;
    this.lastInference = this.wallClockMs();
  }

  /** A request was refused, timed out or failed after so many nanoseconds in the server. */
  requestFailed(ns: number): void {
    add(this.stats.fail, ns);
  }

  /** An execution of so many rows succeeded. */
  executionEnded(
    rows: number,
    inputNs: number,
    inferNs: number,
    outputNs: number,
    parts: readonly ExecutionPart[] = [],
  ): void {
    this.executionCount++;
    let batch = this.batches.get(rows);
    if (batch === undefined) {
      batch = { compute_input: none(), compute_infer: none(), compute_output: none() };
      this.batches.set(rows, batch);
    }
    add(batch.compute_input, inputNs);
    add(batch.compute_infer, inferNs);
    add(batch.compute_output, outputNs);
    for (const { name, unit, value } of parts) {
      const total = this.parts.get(name);
      if (total === undefined) this.parts.set(name, { name, unit, count: 1, total: value });
      else {
        total.count++;
        total.total += value;
      }
    }
  }

  /** A copy of the totals, nanoseconds as integers, batch sizes ascending. */
  snapshot(): ModelStatistics {
    const { success, fail, queue, compute_input, compute_infer, compute_output, cache_hit, cache_miss } = this.stats;
    return {
      name: this.name,
      version: this.version,
      last_inference: this.lastInference,
      inference_count: this.inferenceCount,
      execution_count: this.executionCount,
      inference_stats: {
        success: rounded(success),
        fail: rounded(fail),
        queue: rounded(queue),
        compute_input: rounded(compute_input),
        compute_infer: rounded(compute_infer),
        compute_output: rounded(compute_output),
        cache_hit: rounded(cache_hit),
        cache_miss: rounded(cache_miss),
      },
      batch_stats: [...this.batches]
        .sort(([a], [b]) => a - b)
        .map(([size, batch]) => ({
          batch_size: size,
          compute_input: rounded(batch.compute_input),
          compute_infer: rounded(batch.compute_infer),
          compute_output: rounded(batch.compute_output),
        })),
      ...(this.parts.size > 0 && { servemark_parts: [...this.parts.values()].map(wholeNumbers) }),
    };
  }
}

/** Of all models of a server together; undefined where there are none. Named as the first. */
export function sumOfStatistics(models: readonly ModelStatistics[]): ModelStatistics | undefined {
  const [first, ...others] = models;
  return first && others.reduce(sumOfTwo, first);
}

function sumOfTwo(a: ModelStatistics, b: ModelStatistics): ModelStatistics {
  const sum = (one: StatisticDuration, other: StatisticDuration | undefined) => ({
    count: one.count + (other?.count ?? 0),
    ns: one.ns + (other?.ns ?? 0),
  });
  const names = Object.keys(a.inference_stats) as (keyof ModelStatistics['inference_stats'])[];
  const stats = names.map((name) => [name, sum(a.inference_stats[name], b.inference_stats[name])]);
  const batches = new Map(b.batch_stats.map((batch) => [batch.batch_size, batch]));
  for (const batch of a.batch_stats) {
    const other = batches.get(batch.batch_size);
    batches.set(batch.batch_size, {
      batch_size: batch.batch_size,
      compute_input: sum(batch.compute_input, other?.compute_input),
      compute_infer: sum(batch.compute_infer, other?.compute_infer),
      compute_output: sum(batch.compute_output, other?.compute_output),
    });
  }
  return {
    ...a,
    ...((a.servemark_loads ?? b.servemark_loads) && {
      servemark_loads: sum(a.servemark_loads ?? none(), b.servemark_loads),
    }),
    last_inference: Math.max(a.last_inference, b.last_inference),
    inference_count: a.inference_count + b.inference_count,
    execution_count: a.execution_count + b.execution_count,
    inference_stats: Object.fromEntries(stats) as ModelStatistics['inference_stats'],
    batch_stats: [...batches.values()].sort((one, other) => one.batch_size - other.batch_size),
  };
}

interface BatchTotals {
  readonly compute_input: StatisticDuration;
  readonly compute_infer: StatisticDuration;
  readonly compute_output: StatisticDuration;
}

function wholeNumbers(part: PartStatistic): PartStatistic {
  return { ...part, total: Math.round(part.total) };
}

function none(): StatisticDuration {
  return { count: 0, ns: 0 };
}

function add(total: StatisticDuration, ns: number): void {
  total.count++;
  total.ns += ns;
}

function rounded({ count, ns }: StatisticDuration): StatisticDuration {
  return { count, ns: Math.round(ns) };
}
