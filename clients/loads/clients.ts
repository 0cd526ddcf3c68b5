import { z } from 'zod';
import { duration, rate } from '../../results/units.js';
import { arrivals } from '../arrivals/index.js';
import { sampleIndices } from '../schedule.js';
import { arrivalTimes, checkArrivalOptions } from './arrival-times.js';
import { type ClosedClient, defineLoad, type LoadContext } from './contract.js';
import { classOf, tenantShape } from './mix.js';
import { OUTSTANDING_CAP, openPlan } from './open-plan.js';
import {
  CLOSED_INDICES,
  countOption,
  durationOption,
  PRESETS,
  percentileOption,
  population,
  sampleOrderOption,
} from './presets.js';

const openClient = z
  .strictObject({
    ...tenantShape,
    rate: rate({ above: '0/s' }),
    arrivals: z.enum(arrivals.map((each) => each.name)).default('poisson'),
    arrivalOptions: z.record(z.string(), z.unknown()).default({}),
    /** Its first request comes so much later than its schedule says. */
    delay: duration().default(0),
  })
  .superRefine(checkArrivalOptions);

const closedClient = z.strictObject({ ...tenantShape, concurrency: countOption().max(1000) });

type OpenClient = z.output<typeof openClient>;
type Client = OpenClient | z.output<typeof closedClient>;

/**
 * Clients side by side, each with a pattern of its own: some ask at a rate, others as soon as they are answered. What one of
 * them sends at a rate does not depend on who else is there. Source: DISB's tasks.
 */
export const clients = defineLoad({
  name: 'clients',
  summary: 'Several clients at once, each of one kind: at a rate, or always with so many requests in flight',
  options: z.strictObject({
    clients: z
      .array(z.union([openClient, closedClient]))
      .min(1)
      .max(100)
      .refine((all) => new Set(all.map(({ tenant }) => tenant)).size === all.length, {
        error: 'must name each tenant once',
      }),
    duration: durationOption(),
    samples: sampleOrderOption(),
    percentile: percentileOption(),
  }),
  primary: { metric: 'p99Latency', percentile: 0.99 },
  inFlight: () => 1,
  plan(options, context) {
    const durationNs = options.duration ?? PRESETS[context.preset].durationNs;
    const { dueNs, kinds } = merged(options.clients, durationNs, context);
    const closed = options.clients.flatMap((client, index): ClosedClient[] =>
      'concurrency' in client ? [{ kind: index + 1, concurrency: client.concurrency }] : [],
    );
    const count = dueNs.length + (closed.length > 0 ? CLOSED_INDICES : 0);
    const of = new Uint8Array(count);
    of.set(kinds);
    for (let k = dueNs.length; k < count; k++) of[k] = closed[(k - dueNs.length) % closed.length]!.kind;
    const indices = sampleIndices(options.samples, context.sampleSeed, count, population(context));
    const { arrivals: _, ...plan } = openPlan('', dueNs, indices, OUTSTANDING_CAP);
    return {
      ...plan,
      mix: { classes: options.clients.map(classOf), of },
      closed: { clients: closed, durationNs },
    };
  },
});

/** Due times of all open clients in one order, each with its client's number; a client's seed is that of its place. */
function merged(
  all: readonly Client[],
  durationNs: number,
  context: LoadContext,
): { readonly dueNs: Float64Array; readonly kinds: Uint8Array } {
  const due = all.flatMap((client, index) => {
    if ('concurrency' in client) return [];
    const own = { ...context, scheduleSeed: context.scheduleSeed + (BigInt(index) << 32n) };
    const times = arrivalTimes({ ...client, duration: durationNs, offered: 'exact' }, own);
    return Array.from(times, (at) => ({ at: at + client.delay, kind: index + 1 }));
  });
  due.sort((a, b) => a.at - b.at || a.kind - b.kind);
  return { dueNs: Float64Array.from(due, ({ at }) => at), kinds: Uint8Array.from(due, ({ kind }) => kind) };
}
