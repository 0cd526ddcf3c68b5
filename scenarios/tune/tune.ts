import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  bestOf,
  createSearch,
  type Evaluation,
  numberOf,
  type Point,
  paretoFront,
  runSearch,
  sizeOf,
  violation,
} from '../../optimizers/search/index.js';
import { captureEnvironment } from '../../results/capture.js';
import { compareSystems } from '../../results/compare.js';
import { UserError } from '../../results/errors.js';
import { writeReports } from '../../results/report.js';
import { FastRandom } from '../../results/stats/index.js';
import { createRun, type RunStore, readRun, resumeRun } from '../../results/store.js';
import type { TrialOutcome } from '../../results/summary.js';
import { readTuning, TUNING_SCHEMA, type TuningRecord, type TuningStep, writeTuning } from '../../results/tuning.js';
import { resolveModel } from '../../servers/models/index.js';
import type { Scenario, TrialSpec } from '../contract.js';
import { type RunSettings, storedPlan } from '../plan.js';
import { type FinishedRun, type RunEvent, trialRunner, trialsOf } from '../run.js';
import { bounds, evaluate, needsAccuracy, OBJECTIVES } from './objectives.js';
import { type Found, Points } from './points.js';
import { sentencesOf, verdictOf } from './sentences.js';
import type { TuneSpec } from './spec.js';
import { uniqueSystems } from './trials.js';

export interface TuneOptions {
  readonly resultsRoot: string;
  readonly signal: AbortSignal;
  readonly onEvent: (event: RunEvent) => void;
  readonly onStep?: ((step: TuningStep, number: number, budget: number) => void) | undefined;
  readonly command: string;
  /** Folder of an interrupted search to go on with. */
  readonly resume?: string | undefined;
}

export interface FinishedTuning extends FinishedRun {
  readonly record: TuningRecord;
}

/**
 * Searches the scenario's space for the best configuration: by simulation, for real, or by simulation with the best points
 * served for real (the default); then compares the best with the author's own in paired, interleaved trials. Everything lies
 * in one run folder that is complete after every step; an interrupted search goes on from there.
 */
export async function runTuning(scenario: Scenario, spec: TuneSpec, options: TuneOptions): Promise<FinishedTuning> {
  const asked = askedHash(scenario, spec);
  const tuning = await openTuning(scenario, spec, asked, options);
  try {
    if (!options.signal.aborted) await tuning.run();
  } catch (error) {
    if (!options.signal.aborted) {
      tuning.store.finish('interrupted');
      throw error;
    }
  }
  const state = options.signal.aborted ? 'interrupted' : 'completed';
  tuning.store.finish(state);
  return {
    folder: tuning.store.folder,
    state,
    reports: await writeReports(tuning.store.folder),
    record: tuning.record,
  };
}

async function openTuning(scenario: Scenario, spec: TuneSpec, asked: string, options: TuneOptions): Promise<Tuning> {
  const model = await resolveModel(scenario.model);
  const planOf = (trials: readonly TrialSpec[]) => {
    const systems = uniqueSystems([spec.author, ...trials.map((trial) => trial.system)]);
    const shown = { ...scenario, systems, loads: [spec.load], transports: [spec.transport] };
    return storedPlan(shown, trials, model, options.command);
  };
  if (options.resume === undefined) {
    const scenarioText = readFileSync(scenario.file, 'utf8');
    const store = createRun(options.resultsRoot, planOf([]), captureEnvironment(), { scenarioText });
    return new Tuning(scenario, spec, options, store, planOf, emptyRecord(spec, asked), [], []);
  }
  const record = readTuning(options.resume);
  if (record?.asked !== asked)
    throw new UserError({
      place: options.resume,
      found: record ? 'a search of something else: the scenario has changed since' : 'no search lies there',
      remedy: 'Start a new one: leave --resume out',
    });
  const run = readRun(options.resume);
  const store = resumeRun(options.resume);
  return new Tuning(scenario, spec, options, store, planOf, record, run.outcomes, trialsOf(run.plan));
}

/** One search under way. */
class Tuning {
  readonly #points: Points;

  constructor(
    private readonly scenario: Scenario,
    private readonly spec: TuneSpec,
    private readonly options: TuneOptions,
    readonly store: RunStore,
    planOf: (trials: readonly TrialSpec[]) => ReturnType<typeof storedPlan>,
    public record: TuningRecord,
    earlier: readonly TrialOutcome[],
    known: readonly TrialSpec[],
  ) {
    const settings = planOf([]).settings as RunSettings;
    const runner = trialRunner(settings, store, options, earlier);
    this.#points = new Points(scenario, spec, runner, { earlier, known }, (trials) => store.growPlan(planOf(trials)));
  }

  async run(): Promise<void> {
    const { spec } = this;
    await this.#points.prepare(needsAccuracy(spec.objectives, spec.constraints));
    const author = await (spec.mode === 'simulated' ? this.#points.simulated(spec.author) : this.#points.author());
    this.#keep({ author: { trial: author.trial || undefined, figures: author.figures } });
    await this.#timed('profile', () => this.#points.profile());
    await this.#search();
    if (spec.mode === 'simulated-then-real') await this.#confirmSimulated();
    if (spec.mode !== 'simulated' && !this.options.signal.aborted) await this.#compare();
  }

  async #search(): Promise<void> {
    const { spec } = this;
    const phase = spec.mode === 'real' ? 'real' : 'simulated';
    const search = createSearch(spec.search.name, spec.search.options, {
      space: spec.space,
      random: new FastRandom(spec.seed),
      budget: spec.budget,
      priors: await this.#points.priors(spec.search.name),
      estimate: (point) => this.#points.estimate(point),
    });
    await runSearch({
      space: spec.space,
      search,
      budget: spec.budget,
      signal: this.options.signal,
      history: this.#stepsOf(phase),
      evaluate: (point) => this.#evaluate(phase, point),
    });
  }

  /** The best simulated points, for real. */
  async #confirmSimulated(): Promise<void> {
    const { spec } = this;
    for (const { point } of distinct(ranked(this.#stepsOf('simulated'))).slice(0, spec.confirm)) {
      if (this.options.signal.aborted) return;
      const number = numberOf(spec.space, point);
      if (!this.#stepsOf('real').some((step) => numberOf(spec.space, step.point) === number))
        await this.#evaluate('real', point);
    }
  }

  async #evaluate(phase: 'simulated' | 'real', point: Point): Promise<Evaluation> {
    const { spec } = this;
    const system = spec.systems[numberOf(spec.space, point)];
    if (!system) return { state: 'failed', reason: 'not a system' };
    const startedAt = performance.now();
    const found = phase === 'real' ? await this.#points.real(system) : await this.#points.simulated(system);
    const evaluation = this.#judge(found);
    const seconds = (performance.now() - startedAt) / 1000;
    const step: TuningStep = {
      ...{ phase, point, system: system.name, evaluation, figures: found.figures, seconds },
      trial: found.trial || undefined,
    };
    const steps = [...this.record.steps, step];
    this.#keep({ steps, front: frontOf(steps, phase), seconds: this.#spent(phase, seconds) });
    this.options.onStep?.(
      step,
      this.#stepsOf(phase).length,
      phase === 'real' && spec.mode !== 'real' ? spec.confirm : spec.budget,
    );
    return evaluation;
  }

  /** Best against author, in paired trials; what may be said of it. */
  async #compare(): Promise<void> {
    const best = this.record.front.map((number) => this.record.steps[number]!).find(({ phase }) => phase === 'real');
    const { spec } = this;
    if (!best) {
      const text = 'Not confirmed: nothing that was served for real keeps the bounds.';
      this.#keep({ verdict: { state: 'unconfirmed', text } });
      return;
    }
    const tuned = spec.systems[numberOf(spec.space, best.point)]!;
    await this.#timed('confirm', async () => {
      const pairs = await this.#points.compare(tuned);
      const [authorName, tunedName] = this.#points.comparedNames();
      const seed = BigInt(this.scenario.seeds.bootstrap);
      const compared = compareSystems(pairs.outcomes, tunedName, authorName, { seed });
      const kept = pairs.tuned.map((found) => this.#judge(found)).filter((evaluation) => violation(evaluation) === 0);
      const held = { kept: kept.length, trials: pairs.tuned.length };
      const name = tuned.name.slice(spec.author.name.length + 1);
      this.#keep({
        confirmed: sentencesOf(compared),
        verdict: verdictOf(compared, spec.objectives[0]!.name, name, held),
      });
    });
  }

  #judge({ reason, figures }: Found): Evaluation {
    const { objectives, constraints, author } = this.spec;
    if (reason !== undefined) return { state: 'failed', reason };
    return evaluate(figures, objectives, constraints, this.#points.accuracyOf(author));
  }

  #stepsOf(phase: 'simulated' | 'real'): readonly TuningStep[] {
    return this.record.steps.filter((step) => step.phase === phase);
  }

  async #timed(what: keyof TuningRecord['seconds'], work: () => Promise<void>): Promise<void> {
    const startedAt = performance.now();
    await work();
    this.#keep({ seconds: this.#spent(what, (performance.now() - startedAt) / 1000) });
  }

  #spent(what: keyof TuningRecord['seconds'], seconds: number): TuningRecord['seconds'] {
    return { ...this.record.seconds, [what]: this.record.seconds[what] + seconds };
  }

  #keep(change: Partial<TuningRecord>): void {
    this.record = { ...this.record, ...change };
    writeTuning(this.store.folder, this.record);
  }
}

/** Feasible ones first, by the first objective. */
function ranked(steps: readonly TuningStep[]): readonly TuningStep[] {
  const left = [...steps];
  const order: TuningStep[] = [];
  for (let best = bestOf(left); best !== null; best = bestOf(left)) order.push(...left.splice(best, 1));
  return order;
}

/** One of those that virtual time can't tell apart, the one that takes least processors: to serve them all would teach nothing. */
function distinct(steps: readonly TuningStep[]): readonly TuningStep[] {
  const alike = new Map<string, TuningStep>();
  for (const step of steps) {
    const key = JSON.stringify(step.evaluation);
    const before = alike.get(key);
    if (before === undefined || step.figures.cores < before.figures.cores) alike.set(key, step);
  }
  return [...alike.values()];
}

/** Numbers of the phase's steps that nothing beats, the best by the first objective first. */
function frontOf(steps: readonly TuningStep[], phase: TuningStep['phase']): number[] {
  const numbers = steps.flatMap((step, number) => (step.phase === phase ? [number] : []));
  const first = (number: number) => {
    const { evaluation } = steps[number]!;
    return evaluation.state === 'measured' ? evaluation.objectives[0]! : 0;
  };
  return paretoFront(numbers.map((number) => steps[number]!.evaluation))
    .map((index) => numbers[index]!)
    .sort((a, b) => first(b) - first(a));
}

function emptyRecord(spec: TuneSpec, asked: string): TuningRecord {
  return {
    schema: TUNING_SCHEMA,
    asked,
    system: spec.author.name,
    load: spec.load.name,
    transport: spec.transport,
    search: spec.search.name,
    mode: spec.mode,
    objectives: spec.objectives.map(({ name, direction }) => ({ name, direction, unit: OBJECTIVES[name].unit })),
    constraints: bounds(spec.constraints, null).map(({ text }) => text),
    dimensions: spec.space.dimensions.map(({ name, values, ordered }) => ({
      name,
      values: values.map(String),
      ordered,
    })),
    points: sizeOf(spec.space),
    possible: spec.systems.filter((system) => system !== undefined).length,
    steps: [],
    front: [],
    confirmed: [],
    seconds: { profile: 0, simulated: 0, real: 0, confirm: 0 },
  };
}

/** What makes two searches the same: everything that decides which points are asked for and what is found there. */
function askedHash(scenario: Scenario, spec: TuneSpec): string {
  const { warmUpNs, preset, samples, seeds } = scenario;
  const text = JSON.stringify({ spec, warmUpNs, preset, samples, seeds }, (_, value) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  return createHash('sha256').update(text).digest('hex');
}
