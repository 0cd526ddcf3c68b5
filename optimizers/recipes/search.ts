import { halves } from '../../clients/samples/index.js';
import { checkSteps, original, type PassStep, type Variant } from '../optimize.js';
import type { PassContext } from '../passes/index.js';
import { measureLatency } from './latency.js';
import { judgedOn } from './recipe.js';
import type { RecipeTrail, TrailRow } from './trail.js';
import { attempt, type Court, judged, stepText } from './trial.js';

export interface SearchOptions {
  /** Passes in a combination at most. */
  readonly depth: number;
  /** Combinations that are built on further, the fastest of those that pass the gate. */
  readonly beam: number;
  /** Combinations that are tried at most. */
  readonly budget: number;
  readonly rounds: number;
  readonly say?: ((line: string) => void) | undefined;
}

interface Found {
  readonly variant: Variant;
  readonly row: TrailRow;
}

/** Candidates that the last measurement compares. */
const FINALISTS = 3;

/**
 * The fastest combination of passes that keeps the gate: a beam search, each trial judged on half of the samples and timed
 * beside the reference. What breaks the gate is not built on. The fastest few are then measured side by side, and their
 * accuracy judged on the other half, which the choice has not seen. The variant is null where none is left, or none is faster
 * than the reference. Source of the aim (tune until the accuracy criterion holds): Intel Neural Compressor.
 */
export async function searchPasses(
  moves: readonly PassStep[],
  court: Court,
  options: SearchOptions,
  context: PassContext,
): Promise<{ readonly variant: Variant | null; readonly trail: RecipeTrail }> {
  checkSteps(moves);
  const startedAt = performance.now();
  const { forPasses: seen, others: unseen } = halves(court.samples);
  const choosing = { ...court, samples: seen };
  const { rows, passed, tried } = await explore(moves, choosing, options, context);
  const final = await decide(passed, { ...court, samples: unseen }, options, context);
  const notes = [
    `${tried} combinations tried${tried >= options.budget ? ' (all that the budget allows)' : ''}; each judged on ${seen.name}, and timed beside the reference`,
    `The last ${final.rows.length} rows: the fastest ones again, all side by side, judged on ${unseen.name}, which the choice had not seen`,
  ];
  return {
    variant: final.variant,
    trail: {
      schema: 1,
      kind: 'search',
      gate: court.gate,
      metric: rows[0]!.accuracy!.metric,
      judgedOn: judgedOn(choosing),
      rows: [...rows, ...final.rows],
      notes,
      seconds: (performance.now() - startedAt) / 1000,
    },
  };
}

async function explore(moves: readonly PassStep[], court: Court, options: SearchOptions, context: PassContext) {
  const { depth, beam, budget, rounds, say } = options;
  const first = original(court.reference);
  const [latency] = await measureLatency([court.reference], court.samples, rounds, context.signal);
  const accuracy = await judged(court.reference, court);
  const rows: TrailRow[] = [{ passes: [], outcome: 'reference', reason: null, accuracy, latency: latency! }];
  const passed: Found[] = [];
  let tried = 0;
  let frontier: Found[] = [{ variant: first, row: rows[0]! }];
  for (let level = 0; level < depth && frontier.length > 0; level++) {
    const next: Found[] = [];
    for (const from of frontier)
      for (const move of moves) {
        if (tried >= budget || from.variant.applied.some(({ name }) => name === move.name)) continue;
        context.signal?.throwIfAborted();
        const passes = [...from.row.passes, stepText(move)];
        say?.(`${passes.join(' → ')} …`);
        tried++;
        const found = await tryMove(from.variant, move, passes, court, rounds, context);
        rows.push(found.row);
        if (found.variant !== null && found.row.outcome === 'kept') next.push({ ...found, variant: found.variant });
      }
    passed.push(...next);
    frontier = fastest(next, beam);
  }
  return { rows, passed, tried };
}

async function tryMove(
  from: Variant,
  move: PassStep,
  passes: readonly string[],
  court: Court,
  rounds: number,
  context: PassContext,
): Promise<{ readonly variant: Variant | null; readonly row: TrailRow }> {
  const trial = await attempt(from, move, court, context);
  if ('refused' in trial)
    return {
      variant: null,
      row: { passes, outcome: 'refused', reason: trial.refused, accuracy: null, latency: null },
    };
  const { accuracy, model, variant } = trial;
  const [, latency] = await measureLatency([court.reference, model], court.samples, rounds, context.signal);
  return {
    variant,
    row: { passes, outcome: accuracy.passes ? 'kept' : 'broke', reason: null, accuracy, latency: latency! },
  };
}

/** The fastest few side by side with the reference; the fastest of those whose accuracy holds on unseen samples. */
async function decide(
  passed: readonly Found[],
  court: Court,
  { rounds }: SearchOptions,
  context: PassContext,
): Promise<{ readonly variant: Variant | null; readonly rows: readonly TrailRow[] }> {
  const finalists = fastest(passed, FINALISTS);
  if (finalists.length === 0) return { variant: null, rows: [] };
  const models = finalists.map(({ variant }) => variant.models[0]!.model);
  const [, ...measured] = await measureLatency([court.reference, ...models], court.samples, 2 * rounds, context.signal);
  const rows: TrailRow[] = [];
  for (const [i, { row }] of finalists.entries()) {
    const accuracy = await judged(models[i]!, court);
    rows.push({ ...row, outcome: accuracy.passes ? 'kept' : 'broke', accuracy, latency: measured[i]! });
  }
  const best = rows
    .map((row, i) => ({ row, variant: finalists[i]!.variant }))
    .filter(({ row }) => row.outcome === 'kept' && row.latency!.speedUp > 1)
    .sort((a, b) => b.row.latency!.speedUp - a.row.latency!.speedUp)[0];
  return {
    variant: best?.variant ?? null,
    rows: rows.map((row) => (row === best?.row ? { ...row, outcome: 'chosen' } : row)),
  };
}

function fastest(found: readonly Found[], count: number): Found[] {
  return [...found].sort((a, b) => b.row.latency!.speedUp - a.row.latency!.speedUp).slice(0, count);
}
