import { z } from 'zod';
import { lookUp } from '../../results/lookup.js';
import { duration } from '../../results/units.js';
import { count, positive } from '../strategies/support/options.js';
import { defineController } from './contract.js';
import { answering, operations } from './support/steps.js';

const variant = z.strictObject({
  name: z.string(),
  task: z.string(),
  /** An execution of b rows lasts slopeNs · b + interceptNs. */
  slopeNs: z.number().nonnegative(),
  interceptNs: z.number().nonnegative(),
  loadNs: z.number().nonnegative(),
  accuracy: z.number(),
  maxBatch: positive(),
  hardware: z.enum(['cpu', 'gpu']).default('cpu'),
  running: z.boolean().default(false),
});

const options = z.strictObject({ variants: z.array(variant).min(1), looseLatency: duration().default(100e6) });
type Options = z.output<typeof options>;

/** A variant and what is known of it. */
interface Variant extends z.output<typeof variant> {
  overloaded: boolean;
  /** Syncs in a row in which one replica fewer would do. */
  low: number;
}

const select = z.object({
  task: z.string(),
  minAccuracy: z.number(),
  maxLatency: z.number(),
  batch: positive().default(1),
});
const observe = z.object({
  variant: z.string(),
  averageLatencyNs: z.number(),
  qps: z.number(),
  outstanding: z.number(),
  replicas: count(),
});
const scale = z.object({ variant: z.string(), qps: z.number(), replicas: count() });
const upgrade = scale.extend({ delta: z.number().int(), maxReplicas: count(), candidates: z.array(z.string()) });

/** Chooses the variant of a model that meets accuracy and latency most cheaply, and replicas or an upgrade for its load. */
export const infaas = defineController({
  name: 'infaas',
  summary: 'Model-less serving: picks a variant by accuracy and latency, scales it or upgrades to another',
  source: 'INFaaS (ATC 2021) released code, simplified',
  options,
  create(given) {
    const zoo = new Zoo(given);
    return operations('infaas', {
      select: answering('infaas.select', select, (step) => zoo.select(step)),
      observe: answering('infaas.observe', observe, (step) => zoo.observe(step)),
      scale: answering('infaas.scale', scale, (step) => ({ delta: zoo.scale(step) })),
      upgrade: answering('infaas.upgrade', upgrade, (step) => zoo.upgrade(step)),
    });
  },
});

class Zoo {
  readonly #variants: readonly Variant[];
  /** The last choice for the same demand. */
  readonly #chosen = new Map<string, Variant>();
  readonly #looseLatency: number;

  constructor({ variants, looseLatency }: Options) {
    this.#variants = variants.map((each) => ({ ...each, overloaded: false, low: 0 }));
    this.#looseLatency = looseLatency;
  }

  select(demand: z.output<typeof select>): { variant: string | null; why: string } {
    const eligible = this.#eligible(demand);
    if (eligible.length === 0) return { variant: null, why: 'none' };
    const key = JSON.stringify([demand.task, demand.minAccuracy, demand.maxLatency]);
    const before = this.#chosen.get(key);
    const free = eligible.filter((each) => each.running && !each.overloaded);
    if (before !== undefined && free.includes(before)) return { variant: before.name, why: 'cached' };
    const [chosen, why] = choose(eligible, free, (each) => latency(each, demand.batch));
    chosen.running = true;
    this.#chosen.set(key, chosen);
    return { variant: chosen.name, why };
  }

  /** Sets the overload flag and clears it, at different levels. */
  observe(seen: z.output<typeof observe>): { overloaded: boolean } {
    const of = this.#named(seen.variant);
    const { tolerance, share, calm } = overloadFactors(of.hardware, seen.replicas);
    const alone = latency(of, 1);
    const perReplica = 1e9 / alone;
    const slow = seen.averageLatencyNs > tolerance * alone && seen.qps > share * perReplica;
    if (slow || seen.outstanding > 0.8 * seen.replicas * perReplica) of.overloaded = true;
    else if (seen.averageLatencyNs < calm * alone) of.overloaded = false;
    return { overloaded: of.overloaded };
  }

  /** Replicas to add, or −1 after a long time in which one fewer would have done. */
  scale({ variant, qps, replicas }: z.output<typeof scale>): number {
    const of = this.#named(variant);
    const gpu = of.hardware === 'gpu';
    const each = throughput(of);
    const capacity = replicas * each;
    if (qps > (gpu ? capacity : 0.95 * capacity)) {
      of.low = 0;
      // What arrives while the new replicas load has to be worked off too.
      const backlog = (0.0002 * capacity * of.loadNs) / 1e6;
      return Math.max(1, Math.ceil((qps - capacity + backlog) / each));
    }
    of.low = replicas > 1 && qps <= (replicas - 1) * each ? of.low + 1 : 0;
    if (of.low < (gpu ? 20 : 10)) return 0;
    of.low = 0;
    return -1;
  }

  /** Compares the cost of more replicas with that of another variant; replicas beyond what fits cost a thousandfold. */
  upgrade({ variant, qps, replicas, delta, maxReplicas, candidates }: z.output<typeof upgrade>) {
    const of = this.#named(variant);
    let replicateCost = 0;
    for (let added = 1; added <= delta; added++)
      replicateCost += replicas + added > maxReplicas ? 1000 * of.loadNs : of.loadNs;
    const costs = candidates.map((name) => {
      const to = this.#named(name);
      return { name, cost: Math.ceil(qps / throughput(to)) * to.loadNs };
    });
    const best = least(costs, ({ cost }) => [cost]);
    const pays = best !== undefined && replicateCost > 1.5 * best.cost;
    return {
      action: pays ? 'upgrade' : 'replicate',
      variant: pays ? best.name : variant,
      replicateCost,
      upgradeCost: best?.cost ?? null,
    };
  }

  /** A loose bound does not take the variants that are needlessly fast, where there are others. */
  #eligible({ task, minAccuracy, maxLatency, batch }: z.output<typeof select>): Variant[] {
    const able = this.#variants.filter(
      (each) =>
        each.task === task &&
        each.accuracy >= minAccuracy &&
        each.maxBatch >= batch &&
        latency(each, batch) <= maxLatency,
    );
    if (maxLatency <= this.#looseLatency) return able;
    const slow = able.filter((each) => latency(each, batch) >= this.#looseLatency);
    return slow.length > 0 ? slow : able;
  }

  #named(name: string): Variant {
    return lookUp(this.#variants, name, 'variant', 'infaas.variant');
  }
}

/** The fastest that runs with room, else the one that is ready soonest, else the fastest. `eligible` is not empty. */
function choose(
  eligible: readonly Variant[],
  free: readonly Variant[],
  latencyOf: (variant: Variant) => number,
): [chosen: Variant, why: string] {
  const fastest = (among: readonly Variant[]) => least(among, (each) => [latencyOf(each), -each.accuracy]);
  const running = fastest(free);
  if (running !== undefined) return [running, 'running'];
  const stopped = eligible.filter((each) => !each.running);
  const loaded = least(stopped, (each) => [each.loadNs + latencyOf(each), -each.accuracy]);
  return loaded !== undefined ? [loaded, 'load'] : [fastest(eligible)!, 'overloaded'];
}

function overloadFactors(hardware: Variant['hardware'], replicas: number) {
  if (hardware === 'gpu') return { tolerance: 1.5, share: 0.3, calm: 1.25 };
  return replicas === 1 ? { tolerance: 4, share: 1, calm: 1.5 } : { tolerance: 2.5, share: 0.5, calm: 1.5 };
}

function latency({ slopeNs, interceptNs }: Variant, rows: number): number {
  return slopeNs * rows + interceptNs;
}

/** Rows per second of one replica at its largest batch. */
function throughput(of: Variant): number {
  return (of.maxBatch * 1e9) / latency(of, of.maxBatch);
}

/** The first item with the least key, compared number by number. */
function least<T>(items: readonly T[], keyOf: (item: T) => readonly number[]): T | undefined {
  const before = (a: T, b: T) => {
    const other = keyOf(b);
    const difference = keyOf(a)
      .map((value, i) => value - other[i]!)
      .find((value) => value !== 0);
    return difference !== undefined && difference < 0;
  };
  return items.reduce<T | undefined>(
    (best, item) => (best === undefined || before(item, best) ? item : best),
    undefined,
  );
}
