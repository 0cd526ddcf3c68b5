import type { LoadPlan } from '../../clients/loads/index.js';
import type { Point, ResponseTable } from '../../optimizers/search/index.js';
import { numberOf, searchNamed, sizeOf, slopedMerit } from '../../optimizers/search/index.js';
import type { TrialOutcome, TrialSummary } from '../../results/summary.js';
import type { TuningFigures } from '../../results/tuning.js';
import type { CostTable } from '../../servers/executors/index.js';
import type { Scenario, SystemSpec, TrialSpec } from '../contract.js';
import { planFrom } from '../load-facts.js';
import type { TrialRunner } from '../run.js';
import { evaluate } from './objectives.js';
import { coresOf, simulatedFigures } from './simulated-point.js';
import type { TuneSpec } from './spec.js';
import { trialsFor } from './trials.js';

/** What was found of a configuration; `reason` where it is no result. */
export interface Found {
  readonly figures: TuningFigures;
  readonly trial: string;
  readonly reason?: string | undefined;
}

/** Draws of a simulated load come from a library of this size; their content has no part in it. */
const SAMPLES = 10_000;

/** Evaluates configurations, for real or in virtual time, and keeps what they share: capacities, accuracies, cost tables. */
export class Points {
  readonly #outcomes: Map<string, TrialOutcome>;
  readonly #accuracies = new Map<string, number | null>();
  readonly #tables = new Map<string, CostTable>();
  #trials: TrialSpec[];
  #plan: LoadPlan | undefined;
  /** Processor time of a request besides its share of executions, where a real trial told. */
  #besideNs = 0;
  #withAccuracy = false;

  constructor(
    private readonly scenario: Scenario,
    private readonly spec: TuneSpec,
    private readonly runner: TrialRunner,
    /** What an interrupted search left: its outcomes and its trials. */
    { earlier, known }: { readonly earlier: readonly TrialOutcome[]; readonly known: readonly TrialSpec[] },
    /** Told of all trials before a new one starts. */
    private readonly growPlan: (trials: readonly TrialSpec[]) => void,
  ) {
    this.#outcomes = new Map(earlier.map((outcome) => [idOf(outcome), outcome]));
    this.#trials = [...known];
  }

  /** Measures what rates are relative to, and draws the load. */
  async prepare(withAccuracy: boolean): Promise<void> {
    this.#withAccuracy = withAccuracy;
    const trials = trialsFor(this.scenario, this.spec, [this.spec.author], 1);
    for (const trial of trials.filter(({ kind }) => kind === 'probe')) await this.#run(trial);
    const load = this.runner.resolve(trials.find(({ kind }) => kind === 'measure')!);
    if (typeof load === 'string') throw new Error(load);
    this.#plan = planFrom(load, trials.at(-1)!.seeds, this.scenario.preset, SAMPLES);
  }

  /** Measures the cost table of every model of the space. */
  async profile(): Promise<void> {
    const { mode, search } = this.spec;
    if (mode === 'real' && search.name !== 'falcon' && search.name !== 'morphling') return;
    for (const system of [this.spec.author, ...this.spec.systems]) if (system) await this.#table(system);
  }

  async real(system: SystemSpec): Promise<Found> {
    const accuracy = await this.#accuracy(system);
    const trial = trialsFor(this.scenario, this.spec, [system], 1).find(({ kind }) => kind === 'measure')!;
    return foundOf(await this.#run(trial), system, accuracy);
  }

  /** The author's configuration for real; what it cost besides executions, every simulated one costs as well. */
  async author(): Promise<Found> {
    const found = await this.real(this.spec.author);
    const outcome = this.#outcomes.get(found.trial);
    if (outcome?.state === 'completed') this.#besideNs = besideExecutions(outcome.summary);
    return found;
  }

  async simulated(system: SystemSpec): Promise<Found> {
    const accuracy = await this.#accuracy(system);
    const table = await this.#table(system);
    return { figures: simulatedFigures(system, this.#plan!, table, accuracy, this.#besideNs), trial: '' };
  }

  accuracyOf(system: SystemSpec): number | null {
    return this.#accuracies.get(JSON.stringify(system.model)) ?? null;
  }

  /** Rows a second that the cost table promises with full batches on the processors there are; queueing apart. */
  estimate(point: Point): number {
    const system = this.spec.systems[numberOf(this.spec.space, point)];
    const table = system && this.#tables.get(JSON.stringify(system.model));
    if (!system || !table) return 1;
    const rows = Number((system.strategy.options as { maxBatchSize?: unknown }).maxBatchSize ?? 1);
    const [, ns] = table.findLast(([size]) => size <= rows) ?? table[0]!;
    return (rows * system.instances * 1e9) / (ns * Math.max(1, coresOf(system)));
  }

  /** Response tables of made-up models under the same load on the same space, for searches that transfer. */
  async priors(search: string): Promise<readonly ResponseTable[]> {
    if (!searchNamed(search).needsPriors) return [];
    const [, one] = (await this.#table(this.spec.author))[0]!;
    return MADE_UP.map(({ name, fixed }) => {
      const table: CostTable = [1, 8, 64].map((rows) => [rows, Math.round(one * (fixed + (1 - fixed) * rows))]);
      const values = new Float64Array(sizeOf(this.spec.space));
      this.spec.systems.forEach((system, number) => {
        if (!system) return;
        const figures = simulatedFigures(system, this.#plan!, table, 1, this.#besideNs);
        values[number] = slopedMerit(evaluate(figures, this.spec.objectives, this.spec.constraints, 1));
      });
      return { name, values };
    });
  }

  /** Author and tuned in pairs, interleaved; and what each of the tuned one's trials found. */
  async compare(
    tuned: SystemSpec,
  ): Promise<{ readonly outcomes: readonly TrialOutcome[]; readonly tuned: readonly Found[] }> {
    const [author, best] = this.comparedNames();
    const pair = [
      { ...this.spec.author, name: author },
      { ...tuned, name: best },
    ];
    const outcomes: TrialOutcome[] = [];
    const found: Found[] = [];
    for (const trial of trialsFor(this.scenario, this.spec, pair, this.spec.repeats)) {
      if (trial.kind !== 'measure') continue;
      const outcome = await this.#run(trial);
      outcomes.push(outcome);
      if (trial.identity.system === best) found.push(foundOf(outcome, tuned, this.accuracyOf(tuned)));
    }
    return { outcomes, tuned: found };
  }

  comparedNames(): readonly [author: string, tuned: string] {
    return [`${this.spec.author.name} author`, `${this.spec.author.name} tuned`];
  }

  async #accuracy(system: SystemSpec): Promise<number | null> {
    if (!this.#withAccuracy) return null;
    const key = JSON.stringify(system.model);
    const known = this.#accuracies.get(key);
    if (known !== undefined) return known;
    const trial = trialsFor(this.scenario, this.spec, [system], 1, true).find(({ kind }) => kind === 'accuracy')!;
    const outcome = await this.#run(trial);
    const value = outcome.state === 'completed' ? (outcome.summary.accuracy?.value ?? null) : null;
    this.#accuracies.set(key, value);
    return value;
  }

  async #table({ model }: SystemSpec): Promise<CostTable> {
    const key = JSON.stringify(model);
    const table = this.#tables.get(key) ?? (await this.runner.profiles.measure(model));
    this.#tables.set(key, table);
    return table;
  }

  /** A trial that has an outcome is not run again. */
  async #run(trial: TrialSpec): Promise<TrialOutcome> {
    const numbered = { ...trial, identity: { ...trial.identity, order: this.#trials.length } };
    if (!this.#trials.some(({ identity }) => identity.id === trial.identity.id)) this.#trials.push(numbered);
    this.growPlan(this.#trials);
    const known = this.#outcomes.get(trial.identity.id);
    if (known?.state === 'completed') return known;
    const outcome = await this.runner.run(numbered, this.#trials.length - 1, this.#trials.length);
    this.#outcomes.set(trial.identity.id, outcome);
    return outcome;
  }
}

/** Share of an execution of one row that does not grow with the rows: what batching wins. */
const MADE_UP = [
  { name: 'weight-bound', fixed: 0.95 },
  { name: 'mixed', fixed: 0.6 },
  { name: 'row-bound', fixed: 0.1 },
] as const;

function foundOf(outcome: TrialOutcome, system: SystemSpec, accuracy: number | null): Found {
  const trial = idOf(outcome);
  if (outcome.state !== 'completed') {
    const reason = outcome.state === 'failed' ? outcome.error : outcome.reason;
    return { figures: unknownFigures(system, accuracy), trial, reason };
  }
  const { verdict } = outcome.summary;
  const broken = verdict.findings.find(({ severity }) => severity === 'invalid');
  const reason = verdict.state === 'INVALID' ? `INVALID: ${broken?.message ?? 'see the trial'}` : undefined;
  return { figures: figuresOf(outcome.summary, system, accuracy), trial, reason };
}

/** Of load processes and server together, ns a request. Executions count by the clock: with one thread that is their processor time. */
function besideExecutions({ processes, counts, busyNs, batches }: TrialSummary): number {
  const cpuSeconds = processes.reduce((sum, { userSeconds, systemSeconds }) => sum + userSeconds + systemSeconds, 0);
  const requests = batches.reduce((sum, { size, count }) => sum + size * count, 0) || counts.ok;
  return requests > 0 && busyNs ? Math.max(0, cpuSeconds * 1e9 - busyNs) / requests : 0;
}

function figuresOf(summary: TrialSummary, system: SystemSpec, accuracy: number | null): TuningFigures {
  const { counts, latencyNs, processes } = summary;
  const cpu = processes
    .filter(({ role }) => role !== 'load')
    .reduce((sum, { userSeconds, systemSeconds }) => sum + userSeconds + systemSeconds, 0);
  return {
    throughputPerSecond: summary.throughputPerSecond,
    p50LatencyNs: latencyNs.p50.value,
    p99LatencyNs: latencyNs.p99.value,
    errorRate: counts.issued > 0 ? 1 - counts.ok / counts.issued : null,
    meanBatch: summary.meanBatch,
    cpuSecondsPerRequest: counts.ok > 0 && cpu > 0 ? cpu / counts.ok : null,
    cores: coresOf(system),
    accuracy,
  };
}

function unknownFigures(system: SystemSpec, accuracy: number | null): TuningFigures {
  return {
    throughputPerSecond: null,
    p50LatencyNs: null,
    p99LatencyNs: null,
    errorRate: null,
    meanBatch: null,
    cpuSecondsPerRequest: null,
    cores: coresOf(system),
    accuracy,
  };
}

function idOf(outcome: TrialOutcome): string {
  return outcome.state === 'completed' ? outcome.summary.trial.id : outcome.trial.id;
}
