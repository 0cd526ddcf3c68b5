import { z } from 'zod';
import { duration, rate } from '../../results/units.js';
import { costTable } from '../../servers/executors/index.js';
import { PICKERS } from '../../servers/fleet/index.js';

const named = z.union([z.string(), z.looseObject({ name: z.string() })]);
const count = () => z.number().int().positive();

/** A fleet file: `servemark simulate --fleet FILE`. */
export const fleetSchema = z.strictObject({
  schema: z.literal(1),
  question: z.string().min(1),
  model: z.string().optional().describe('zoo name or file; its cost table is measured now'),
  profile: z.string().optional().describe('file of a cost table'),
  cost: z
    .array(z.tuple([count(), duration()]))
    .min(1)
    .optional()
    .describe('points [rows, duration]'),
  strategy: named.describe('name, or { name, its options }'),
  replicas: z
    .strictObject({
      initial: count().default(1),
      max: count().max(10_000).default(10_000),
      startUp: duration().default(30e9).describe('from the order to the first request'),
      instances: count().max(64).default(1),
      speeds: z.array(z.number().positive()).min(1).optional().describe('duration factors that replicas have in turn'),
    })
    .refine(({ initial, max }) => initial <= max, 'initial must not exceed max'),
  gateway: z.enum(Object.keys(PICKERS) as [keyof typeof PICKERS, ...(keyof typeof PICKERS)[]]).default('random-two'),
  autoscalers: z
    .record(z.string(), z.union([named, z.null()]))
    .default({ fixed: null })
    .describe('each is one fleet: name → autoscaler with its options, or null for a fixed size'),
  interval: duration({ above: '0s' }).default(15e9).describe('between two looks of an autoscaler'),
  arrivals: z.strictObject({
    process: z.string().default('poisson'),
    rate: rate({ above: '0/s' }),
    options: z.record(z.string(), z.unknown()).default({}),
  }),
  duration: duration({ above: '0s', most: '8784h' }),
  objective: duration({ above: '0s' }).describe('answers within it count as good'),
  seed: z.number().int().nonnegative().default(1),
});

export type FleetFile = z.output<typeof fleetSchema>;

/** Costs of a fleet file as a table, checked. */
export function tableOf(cost: NonNullable<FleetFile['cost']>) {
  return costTable.parse(cost);
}
