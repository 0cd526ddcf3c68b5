import { z } from 'zod';
import { duration, rate } from '../../results/units.js';
import { arrivals } from '../arrivals/index.js';
import { contiguousIndices, requireFewEnough, sampleIndices } from '../schedule.js';
import { arrivalTimes, checkArrivalOptions } from './arrival-times.js';
import { defineLoad, type SessionStep } from './contract.js';
import { OUTSTANDING_CAP, openPlan } from './open-plan.js';
import { countOption, durationOption, percentileOption, population, sampleOrderOption } from './presets.js';

const stepSchema = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/, 'must be up to 40 letters, digits, "-" and "_"'),
  /** Steps that must have been answered; default: the one before. An empty list: it comes with the session. */
  after: z.array(z.string()).optional(),
  /** From the last of those answers to this step. */
  think: duration().prefault(0),
});

type Steps = readonly z.output<typeof stepSchema>[];

/**
 * Users who ask again: sessions arrive as open loads do, and each is a few requests, of which one is due when those before
 * it have been answered and its think time has passed. A step that fails ends its session. With `sequence` the requests
 * carry Triton's sequence_id, sequence_start and sequence_end.
 */
export const sessions = defineLoad({
  name: 'sessions',
  summary: 'Sessions of dependent requests: arrivals start them, each step follows the answers before it',
  options: z
    .strictObject({
      /** Requests, not sessions: comparable with other loads. */
      rate: rate({ above: '0/s' }),
      steps: z.array(stepSchema).min(1).max(64),
      arrivals: z.enum(arrivals.map((each) => each.name)).default('poisson'),
      arrivalOptions: z.record(z.string(), z.unknown()).default({}),
      duration: durationOption(),
      offered: z.enum(['exact', 'drawn']).default('exact'),
      concurrency: countOption().max(OUTSTANDING_CAP).default(OUTSTANDING_CAP),
      sequence: z.boolean().default(false),
      samples: sampleOrderOption(),
      percentile: percentileOption(),
      /** The steps of a session take samples that follow each other, as the pieces of a stream do; the first is drawn. */
      consecutive: z.boolean().default(false),
    })
    .superRefine(checkArrivalOptions)
    .superRefine(({ steps, sequence }, context) => checkSteps(steps, sequence, context)),
  primary: { metric: 'p99Latency', percentile: 0.99 },
  /** The steps of a session follow each other in one process. */
  inFlight: () => 1,
  plan(options, context) {
    const steps = resolved(options.steps);
    const starts = arrivalTimes({ ...options, rate: options.rate / steps.length }, context);
    requireFewEnough(starts.length * steps.length);
    const dueNs = new Float64Array(starts.length * steps.length);
    const earliest = earliestOf(steps);
    for (let k = 0; k < dueNs.length; k++)
      dueNs[k] = starts[Math.floor(k / steps.length)]! + earliest[k % steps.length]!;
    const samples = population(context);
    const indices = options.consecutive
      ? contiguousIndices(context.sampleSeed, starts.length, steps.length, samples)
      : sampleIndices(options.samples, context.sampleSeed, dueNs.length, samples);
    return {
      ...openPlan(options.arrivals, dueNs, indices, options.concurrency),
      query: Uint32Array.from(dueNs, (_, k) => Math.floor(k / steps.length)),
      sessions: { steps, sequence: options.sequence },
    };
  },
});

/** Every name once, `after` only of earlier steps: no circle can be written. A sequence is one step after the other. */
function checkSteps(steps: Steps, sequence: boolean, context: z.RefinementCtx): void {
  for (const [index, { name, after }] of steps.entries()) {
    const earlier = steps.slice(0, index).map((step) => step.name);
    const path = ['steps', index];
    if (earlier.includes(name)) context.addIssue({ code: 'custom', path, message: `names "${name}" twice` });
    for (const wanted of after ?? [])
      if (!earlier.includes(wanted))
        context.addIssue({
          code: 'custom',
          path: [...path, 'after'],
          message: `"${wanted}" is no earlier step; allowed: ${earlier.join(', ') || 'none, it is the first'}`,
        });
    const isChain = after === undefined || (index > 0 && after.length === 1 && after[0] === earlier.at(-1));
    if (sequence && !isChain)
      context.addIssue({ code: 'custom', path, message: 'must follow the step before it: the load is a sequence' });
  }
}

function resolved(steps: Steps): SessionStep[] {
  const place = new Map(steps.map(({ name }, index) => [name, index]));
  return steps.map(({ name, after, think }, index) => ({
    name,
    thinkNs: think,
    after: after?.map((each) => place.get(each)!) ?? (index === 0 ? [] : [index - 1]),
  }));
}

/** When each step is due at the soonest: answers take no time, only thinking does. */
function earliestOf(steps: readonly SessionStep[]): number[] {
  const earliest: number[] = [];
  for (const { after, thinkNs } of steps) earliest.push(thinkNs + Math.max(0, ...after.map((each) => earliest[each]!)));
  return earliest;
}
