import { z } from 'zod';
import { messageOf, UserError } from '../../results/errors.js';
import { problemsOf } from '../../results/lookup.js';
import { costTable } from '../executors/cost.js';

const time = z.number().int().nonnegative();

/** A request of a run. `rows` is 1 where it is absent; other formats (LLM schedulers) add keys of their own. */
const request = z.looseObject({
  id: z.string(),
  at: time,
  rows: z.number().int().positive().optional(),
  model: z.string().optional(),
  shapeKey: z.string().optional(),
  priority: z.number().int().optional(),
  timeoutNs: time.optional(),
  deadlineNs: time.optional(),
  key: z.string().optional(),
  client: z.string().optional(),
  class: z.enum(['rt', 'be']).optional(),
  start: z.boolean().optional(),
  end: z.boolean().optional(),
  draws: z.array(z.number()).optional(),
});

const instance = z.looseObject({ speed: z.number().positive().optional() });

const vectorCase = z
  .looseObject({
    name: z.string(),
    strategy: z.looseObject({ name: z.string(), options: z.record(z.string(), z.unknown()).default({}) }),
    instances: z.union([z.number().int().positive(), z.array(instance).min(1)]).default(1),
    /** A cost table in runs; other formats have their own. */
    cost: z.unknown().optional(),
    costs: z.record(z.string(), costTable).optional(),
    requests: z.array(request).optional(),
    until: time.optional(),
    steps: z.array(z.record(z.string(), z.unknown())).optional(),
    expect: z.record(z.string(), z.unknown()),
  })
  .refine((given) => (given.requests === undefined) !== (given.steps === undefined), {
    error: 'a case has either `requests` (a run) or `steps`',
  })
  .refine(({ requests = [] }) => requests.every((r, i) => i === 0 || requests[i - 1]!.at <= r.at), {
    error: '`requests` must be sorted by `at`',
    path: ['requests'],
  });

const vectorFile = z.looseObject({ schema: z.literal(1), cases: z.array(vectorCase) });

/** One case of a vector file: a run (`requests`) or a list of inputs (`steps`), and what is expected of it. */
export type VectorCase = z.output<typeof vectorCase>;

/** The cases of a vector file's text. Throws UserError with every problem; `place` is the file. */
export function parseVectors(text: string, place: string): VectorCase[] {
  const parsed = vectorFile.safeParse(parseJson(text, place), { reportInput: true });
  if (parsed.success) return parsed.data.cases;
  throw new UserError(problemsOf(parsed.error, [], (path) => `${place} ${path.join('.')}`.trim(), vectorFile));
}

function parseJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UserError({ place, found: `is not JSON: ${messageOf(error)}`, allowed: '{"schema": 1, "cases": […]}' });
  }
}
