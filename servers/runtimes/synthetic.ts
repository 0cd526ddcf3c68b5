import { z } from 'zod';
import { nowNs } from '../../results/clock.js';
import { FastRandom } from '../../results/stats/random.js';
import { duration, fraction } from '../../results/units.js';
import { costOf } from '../executors/cost.js';
import { defineRuntime, type Runtime } from './contract.js';
import { echoMetadata, echoOutputs, interfaceShape } from './echo.js';

const options = z.strictObject({
  ...interfaceShape,
  /** Points [rows, duration], rows ascending; between and beyond them the cost is linear. */
  cost: z
    .array(z.tuple([z.number().int().positive(), duration()]))
    .min(1)
    .refine((points) => points.every(([rows], i) => i === 0 || points[i - 1]![0] < rows), 'rows must ascend')
    .default([[1, 1e6]]),
  /** `sleep` leaves the CPU to others, as a device would; `spin` uses it. */
  mode: z.enum(['sleep', 'spin']).default('sleep'),
  /** Multiplies every duration: 2 = half as fast. */
  factor: z.number().positive().default(1),
  /** Every duration is multiplied by a number drawn evenly from 1 ± amount. */
  jitter: z.strictObject({ seed: z.number().int().nonnegative(), amount: fraction() }).optional(),
  /** In the last `for` of every period of length `every` nothing begins; periods count from the first execution. */
  stall: z.strictObject({ every: duration(), for: duration() }).optional(),
  /** As if the model were cut into so many stages of equal cost; a call of some of them takes their share. */
  stages: z.number().int().positive().max(1000).optional(),
  /** The worker dies in its n-th execution (warm-up included), every time it is started. */
  crashOn: z.number().int().positive().optional(),
  /** So many executions fail, after they have taken their time; which ones is drawn from the seed. Warm-up never fails. */
  errors: z.strictObject({ seed: z.number().int().nonnegative().default(1), rate: fraction() }).optional(),
});

type Options = z.output<typeof options>;

/** Executions of known duration, so that everything around them can be judged. */
export const synthetic = defineRuntime({
  name: 'synthetic',
  summary: 'Sleeps or spins for as long as a cost table says; outputs repeat the inputs',
  options,
  create: async (_modelPath, parsed) => create(parsed),
});

function create(parsed: Options): Runtime {
  const costNs = durations(parsed);
  const fails = failures(parsed);
  let executions = 0;
  let origin: number | undefined;
  const pass = (rows: number, share: number) => {
    const begin = nowNs();
    origin ??= begin;
    if (++executions === parsed.crashOn) crash(executions);
    const stalledNs = parsed.stall ? stallLeft(begin - origin, parsed.stall.every, parsed.stall.for) : 0;
    const end = begin + stalledNs + costNs(rows) * share;
    if (parsed.mode === 'sleep') sleepUntil(end);
    spinUntil(end);
    if (fails(executions)) throw new Error(`synthetic: execution ${executions} fails, as asked`);
  };
  const { stages } = parsed;
  return {
    metadata: { ...echoMetadata('synthetic', parsed), ...(stages === undefined ? {} : { stages }) },
    execute: async (inputs, rows, outputs) => {
      pass(rows, 1);
      return echoOutputs(parsed.outputs, inputs, rows, outputs);
    },
    ...(stages === undefined
      ? {}
      : {
          // Its values are its inputs, all the way.
          executeStages: async (values, rows, [from, to], outputs) => {
            pass(rows, (to - from) / stages);
            return to < stages ? [...values] : echoOutputs(parsed.outputs, values, rows, outputs);
          },
        }),
    close: async () => {},
  };
}

/** Time left of the stall that `elapsed` falls into; 0 outside of stalls. */
export function stallLeft(elapsed: number, every: number, length: number): number {
  const phase = elapsed % every;
  return phase >= every - length ? every - phase : 0;
}

function durations({ cost, factor, jitter }: Options): (rows: number) => number {
  if (jitter === undefined) return (rows) => costOf(cost, rows) * factor;
  const random = new FastRandom(jitter.seed);
  return (rows) => costOf(cost, rows) * factor * (1 + jitter.amount * (random.next32() / 2 ** 31 - 1));
}

/** Instances warm up with three executions unless told otherwise (server.ts). */
const WARM_UP = 3;

function failures({ errors }: Options): (execution: number) => boolean {
  if (errors === undefined) return () => false;
  const random = new FastRandom(errors.seed);
  return (execution) => execution > WARM_UP && random.next32() < errors.rate * 2 ** 32;
}

/** A futex wait overshoots by some 60 µs: wake a little early; the caller spins the rest. */
function sleepUntil(end: number): void {
  const left = end - nowNs() - 100_000;
  if (left > 0) Atomics.wait(NEVER, 0, 0, left / 1e6);
}

function spinUntil(end: number): void {
  while (nowNs() < end);
}

const NEVER = new Int32Array(new SharedArrayBuffer(4));

function crash(execution: number): never {
  process.stderr.write(`synthetic: dying in execution ${execution}, as asked\n`);
  process.exit(70);
}
