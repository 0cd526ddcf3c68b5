import { z } from 'zod';
import { canonicalDouble, Mt19937 } from '../../results/stats/index.js';
import { duration } from '../../results/units.js';
import type { Parameters } from '../../servers/protocol/index.js';

/** One kind of request of a mixed load. */
export interface RequestClass {
  /** In records and reports. */
  readonly tenant: string;
  /** As they are sent: Triton's `priority` and `timeout` (µs), ours `deadline` (µs), `class`, `client` (the tenant). */
  readonly parameters: Parameters;
  /** Another model of the same server, with the same inputs. */
  readonly model?: string | undefined;
}

/** Which request is of which kind, drawn before the first is sent. */
export interface Mix {
  readonly classes: readonly RequestClass[];
  /** Of each request the number of its kind, from 1. */
  readonly of: Uint8Array;
}

/** What a tenant's requests say of themselves. */
export const tenantShape = {
  tenant: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$/, 'must be up to 40 letters, digits, ".", "_" and "-"'),
  /** 1 = highest. */
  priority: z.int().min(0).max(1_000_000).optional(),
  /** How long the server may let it wait. */
  timeout: wait().optional(),
  /** When it is worthless, from its arrival. */
  deadline: wait().optional(),
  /** Real-time or best-effort. */
  class: z.enum(['rt', 'be']).optional(),
  model: z.string().min(1).optional(),
};

const tenantSchema = z.strictObject({
  ...tenantShape,
  /** Share of the requests, relative to the others'. */
  weight: z.number().positive().max(1e6).default(1),
});

type MixOption = readonly z.output<typeof tenantSchema>[];

/** Models `name-1` … `name-n`, asked for by Zipf's law: the k-th with weight k^−exponent. */
const zipfSchema = z.strictObject({
  models: z.string().min(1),
  count: z.number().int().min(1).max(100),
  exponent: z.number().min(0).max(5).default(1),
});

/** Option of loads whose requests are of several kinds: a list, or many models by their popularity. */
export const mixOption = () =>
  z
    .union([
      z
        .array(tenantSchema)
        .min(1)
        .max(100)
        .refine((kinds) => new Set(kinds.map(({ tenant }) => tenant)).size === kinds.length, {
          error: 'must name each tenant once',
        }),
      zipfSchema,
    ])
    .optional();

function kindsOf(option: z.output<ReturnType<typeof mixOption>>): MixOption | undefined {
  if (option === undefined || 'length' in option) return option;
  const { models, count, exponent } = option;
  return Array.from({ length: count }, (_, i) => {
    const model = `${models}-${i + 1}`;
    return { tenant: model, model, weight: (i + 1) ** -exponent };
  });
}

/**
 * Draws the kinds of `count` requests by their weights, independent of each other and of everything else that is drawn: a
 * mixture changes neither due times nor samples. Undefined where the load is not mixed.
 */
export function drawMix(
  given: z.output<ReturnType<typeof mixOption>>,
  sampleSeed: bigint,
  count: number,
): Mix | undefined {
  const option = kindsOf(given);
  if (!option) return undefined;
  const random = new Mt19937(sampleSeed ^ OWN_STREAM);
  let total = 0;
  const bounds = option.map(({ weight }) => (total += weight));
  const of = new Uint8Array(count);
  for (let k = 0; k < count; k++) {
    const at = canonicalDouble(random) * total;
    of[k] =
      1 +
      Math.max(
        0,
        bounds.findIndex((bound) => at < bound),
      );
  }
  return { classes: option.map(classOf), of };
}

/** `mix!` in ASCII: another generator than that of the samples. */
const OWN_STREAM = 0x6d697821n;

/** As they are sent. */
export function classOf(kind: Omit<MixOption[number], 'weight'>): RequestClass {
  const { tenant, priority, timeout, deadline, class: scheduling, model } = kind;
  const micros = (ns: number | undefined) => (ns === undefined ? undefined : Math.round(ns / 1000));
  const entries = { client: tenant, priority, timeout: micros(timeout), deadline: micros(deadline), class: scheduling };
  const parameters = Object.fromEntries(
    Object.entries(entries).filter((entry): entry is [string, string | number] => entry[1] !== undefined),
  );
  return { tenant, parameters, model };
}

/** Triton counts microseconds. */
function wait() {
  return duration({ least: '1us' });
}
