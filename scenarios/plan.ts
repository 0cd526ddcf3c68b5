import { loads, PRESETS } from '../clients/loads/index.js';
import { accuracyMetricNamed } from '../results/accuracy/index.js';
import { type Problem, UserError } from '../results/errors.js';
import type { MonitorSettings } from '../results/monitors/index.js';
import type { Capacity } from '../results/regression/index.js';
import type { PlannedSystem, RunPlan } from '../results/run.js';
import { RUN_SCHEMA } from '../results/run.js';
import type { LoadScheduling } from '../results/scheduling.js';
import { Mt19937, permutation } from '../results/stats/index.js';
import type { TrialIdentity } from '../results/summary.js';
import { formatDuration } from '../results/units.js';
import type { MadeModel, ModelSpec, ResolvedModel } from '../servers/models/index.js';
import { batchingProblem, conversionOf } from '../servers/models/index.js';
import { modelBytes, type RuntimeMetadata } from '../servers/runtimes/index.js';
import {
  isolationProblem,
  type StrategyDefinition,
  stagesProblem,
  strategyNamed,
} from '../servers/strategies/index.js';
import type { LoadSpec, Preset, SamplesChoice, Scenario, SystemSpec, Targets, TrialSpec } from './contract.js';
import { isFleet } from './gateway-system.js';
import { modelsOf } from './load-hosted.js';
import { ownMetric } from './samples.js';

/** What planning must know of a model. */
export interface PlannedModel {
  readonly resolved: ResolvedModel;
  readonly metadata: RuntimeMetadata;
}

/**
 * Every trial in the order of execution. Capacity probes come first. Then, repeat by repeat, the cells (load × transport)
 * in an order drawn from the seed, and within a cell the systems forward and backward in turn (ABBA), so that a drift of the
 * machine does not align with a system. The schedule and sample seeds of a repeat are the same for every system.
 */
export function planTrials(scenario: Scenario, mode: 'real' | 'simulated' = 'real'): TrialSpec[] {
  const trials = [...probes(scenario), ...(scenario.accuracy && mode === 'real' ? accuracyTrials(scenario) : [])];
  const order = new Mt19937(BigInt(scenario.seeds.order));
  for (let repeat = 1; repeat <= scenario.repeats; repeat++) {
    const cells = scenario.loads.flatMap((load) => scenario.transports.map((transport) => ({ load, transport })));
    permutation(order, cells.length).forEach((cellIndex, index) => {
      const cell = cells[cellIndex]!;
      const forward = (repeat + index) % 2 === 1;
      for (const system of forward ? scenario.systems : [...scenario.systems].reverse())
        trials.push(trial('measure', scenario, system, cell.load, cell.transport, repeat));
    });
  }
  if (mode === 'simulated') return numbered(trials.map((each) => simulated(each, each.identity.id)));
  return numbered(scenario.simulate ? [...trials, ...twins(trials)] : trials);
}

/** Simulated counterparts of the measured trials, run after them: they need the real capacities and disturb nobody. */
function twins(trials: readonly TrialSpec[]): TrialSpec[] {
  return trials
    .filter(
      ({ kind, system }) =>
        kind === 'measure' &&
        !system.external &&
        !system.others &&
        !system.front &&
        !system.ensemble &&
        !isFleet(system),
    )
    .map((each) => simulated(each, `${each.identity.id}.simulated`));
}

function simulated(spec: TrialSpec, id: string): TrialSpec {
  return { ...spec, identity: { ...spec.identity, id, simulated: true } };
}

function numbered(trials: readonly TrialSpec[]): TrialSpec[] {
  return trials.map((each, position) => ({ ...each, identity: { ...each.identity, order: position } }));
}

/** The plan as it is stored and printed. */
export function storedPlan(
  scenario: Scenario,
  trials: readonly TrialSpec[],
  model: ResolvedModel,
  command: string,
  requestBytes: Readonly<Record<string, number>> = {},
  modelOf: (system: SystemSpec) => ResolvedModel | undefined = () => undefined,
): RunPlan {
  return {
    schema: RUN_SCHEMA,
    question: scenario.question,
    scenario: scenario.name,
    command,
    systems: scenario.systems.map((system) => ({
      name: system.name,
      summary: system.summary,
      instances: system.instances,
      ...(system.front && {
        variants: [modelOf(system)?.name ?? 'first', ...(system.others ?? []).map((each) => each.modelName!)],
      }),
      ...plannedModel(system, modelOf(system)),
    })),
    loads: scenario.loads.map(({ name, summary }) => ({ name, summary })),
    transports: scenario.transports,
    targets: scenario.targets,
    seeds: { ...scenario.seeds },
    ...(scenario.twins ? { twins: scenario.twins } : {}),
    settings: { ...settingsOf(scenario), requestBytes },
    model: { name: model.name, sha256: model.sha256 ?? null, provenance: model.provenance },
    trials: trials.map((each) => ({ identity: each.identity, detail: each })),
    simulated: trials.length > 0 && trials.every((each) => each.identity.simulated),
  };
}

/** The file that a system serves, for tables of variants. */
function plannedModel({ model }: SystemSpec, resolved: ResolvedModel | undefined): Pick<PlannedSystem, 'model'> {
  if (resolved?.path === undefined || resolved.sha256 === undefined) return {};
  const made = 'path' in model ? model.made : undefined;
  return {
    model: {
      name: resolved.name,
      bytes: modelBytes(resolved.path),
      sha256: resolved.sha256,
      passes: made === undefined ? [] : madeText(made),
    },
  };
}

/** What was done to the parent, in order. */
function madeText(made: MadeModel): string[] {
  const texts = made.passes.map(({ name, options }) => passText(name, options));
  const form = conversionOf(made);
  return form ? [...texts, `conversion to ${form}`] : texts;
}

/** `low-rank (ratio 0.1)`. */
function passText(name: string, options: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(options).map(([key, value]) => `${key} ${JSON.stringify(value)}`);
  return parts.length === 0 ? name : `${name} (${parts.join(', ')})`;
}

/** What the trials of a run share; stored with the plan, so that a run can be resumed without its scenario file. */
export interface RunSettings {
  readonly preset: Preset;
  readonly targets: Targets;
  readonly warmUpNs: number;
  readonly samples: SamplesChoice | undefined;
  readonly bootstrapSeed: string;
  /** Absent in older runs: one. */
  readonly loadProcesses?: number | undefined;
  /** Absent: as each load needs. */
  readonly connections?: number | undefined;
  /** Absent: the best that the kernel grants. */
  readonly loadScheduling?: LoadScheduling | undefined;
  /** Bytes of one request by system, as far as they are known beforehand; absent in older runs. */
  readonly requestBytes?: Readonly<Record<string, number>> | undefined;
  readonly monitors?: MonitorSettings | undefined;
  /** What relative rates are relative to, where no probe of this run finds it: a replay, a gate. */
  readonly capacities?: readonly Capacity[] | undefined;
}

function settingsOf(scenario: Scenario): RunSettings {
  const { preset, targets, warmUpNs, samples, seeds, loadProcesses, connections, loadScheduling, monitors } = scenario;
  return {
    preset,
    targets,
    warmUpNs,
    samples,
    bootstrapSeed: seeds.bootstrap,
    loadProcesses,
    connections,
    loadScheduling,
    monitors,
  };
}

/** Refuses, before anything starts, strategies that batch what the model can't. Throws UserError with all of them. */
export function checkBatching(
  scenario: Scenario,
  metadataOf: (model: ModelSpec) => Pick<RuntimeMetadata, 'inputs' | 'outputs'>,
): void {
  const problems = ours(scenario).flatMap((system) =>
    modelsOf(system).flatMap(({ model, strategy }): Problem[] => {
      const definition = strategyNamed(strategy.name);
      const rows = definition.maxRows(definition.options.parse(strategy.options ?? {}) as never);
      const place = scenario.place(['systems', system.name.split(' ')[0]!]);
      const problem = batchingProblem(metadataOf(model), rows, place);
      return problem ? [problem] : [];
    }),
  );
  if (problems.length > 0) throw new UserError(problems);
}

/** External servers have no strategy that could be asked. */
function ours(scenario: Scenario): SystemSpec[] {
  return scenario.systems.filter((system) => system.external === undefined);
}

/**
 * Refuses strategies that real instances can't carry out; where nothing is known of the models yet, their server does. Throws
 * UserError with all of them.
 */
export function checkServable(
  scenario: Scenario,
  metadataOf?: (model: ModelSpec) => Pick<RuntimeMetadata, 'stages'>,
): void {
  const problems = ours(scenario).flatMap((system) =>
    modelsOf(system).flatMap(({ model, strategy, isolation, shares }): Problem[] => {
      const definition = strategyNamed(strategy.name);
      const place = scenario.place(['systems', system.name.split(' ')[0]!]);
      if (definition.simulatedOnly !== undefined)
        return [
          {
            place,
            found: `${strategy.name} runs in virtual time only: ${definition.simulatedOnly}`,
            remedy: 'Use `servemark simulate`, or leave the system out',
          },
        ];
      const options = definition.options.parse(strategy.options ?? {});
      return [
        isolationProblem(definition, options, isolation),
        metadataOf && stagesUnder(definition, options, metadataOf(model).stages, shares),
      ].flatMap((problem) => (problem ? [{ place, ...problem }] : []));
    }),
  );
  if (problems.length > 0) throw new UserError(problems);
}

function stagesUnder(
  definition: StrategyDefinition,
  options: unknown,
  cut = 1,
  shares = false,
): ReturnType<typeof stagesProblem> {
  return shares && cut === 1 ? undefined : stagesProblem(definition, options, cut);
}

/** A rough length of the whole run in ns, for the first line and the time left. */
export function estimateNs(scenario: Scenario, trials: readonly TrialSpec[]): number {
  return trials.reduce((sum, each) => sum + trialNs(scenario, each), 0);
}

/** Start-up of two processes, warm-up, load, drain and summary. */
function trialNs(scenario: Scenario, spec: TrialSpec): number {
  if (spec.identity.simulated) return 0.1e9;
  if (spec.kind === 'accuracy') return 5e9;
  return 1.2e9 + scenario.warmUpNs + loadNs(spec.load, scenario.preset);
}

/** How long a load takes: its duration, its preset's where it says none, or until its requests are all due. */
function loadNs(load: LoadSpec, preset: Preset): number {
  const definition = loads.find((each) => each.name === load.type);
  const parsed = definition?.options.safeParse({
    ...load.options,
    ...(load.relativeRate ? { [load.relativeRate.key]: 1 } : {}),
  });
  const said = (parsed?.success ? parsed.data : {}) as Partial<
    Record<'duration' | 'rate' | 'count' | 'minQueries', number>
  >;
  const { duration = PRESETS[preset].durationNs, rate, count, minQueries } = said;
  if (load.relativeRate || rate === undefined) return duration;
  if (count !== undefined) return (count / rate) * 1e9;
  const least = minQueries ?? (load.type === 'server' ? PRESETS[preset].minQueries.server : 0);
  return Math.max(duration, (least / rate) * 1e9);
}

function probes(scenario: Scenario): TrialSpec[] {
  const wanted = new Map<string, TrialSpec>();
  for (const load of scenario.loads) {
    if (!load.relativeRate) continue;
    const system = scenario.systems.find((each) => each.name === load.relativeRate!.system)!;
    for (const transport of load.relativeRate.transport ? [load.relativeRate.transport] : scenario.transports)
      wanted.set(`${system.name} ${transport}`, trial('probe', scenario, system, probeLoad(scenario), transport, 1));
  }
  return [...wanted.values()];
}

/** Enough in flight that the server never waits for the client, few enough that the queue stays short. */
function probeLoad(scenario: Scenario): LoadSpec {
  const options = { concurrency: 8, duration: scenario.probeNs };
  return {
    name: 'capacity',
    summary: `closed loop, 8 in flight, ${formatDuration(scenario.probeNs)}`,
    type: 'closed',
    options,
  };
}

function accuracyTrials(scenario: Scenario): TrialSpec[] {
  const load: LoadSpec = {
    name: 'accuracy',
    summary: 'every sample once',
    type: 'closed',
    options: { concurrency: 8 },
  };
  const first = referenceSystem(scenario);
  const systems = [...scenario.systems].sort((a, b) => Number(b.name === first) - Number(a.name === first));
  return systems.flatMap((system) =>
    scenario.transports.map((transport) => trial('accuracy', scenario, system, load, transport, 1)),
  );
}

/** What others are measured by: its accuracy trials come first. */
function referenceSystem({ targets, systems }: Scenario): string {
  return targets.relativeAccuracy?.system ?? systems[0]!.name;
}

/** How a trial's answers are judged, and against whose. */
function judging(
  scenario: Scenario,
  { model }: SystemSpec,
  transport: string,
): Pick<TrialSpec, 'metric' | 'referenceTrial'> {
  const metric = scenario.accuracyMetric ?? ownMetric(model);
  if (metric === undefined) return {};
  if (accuracyMetricNamed(metric).needs !== 'outputs') return { metric };
  return { metric, referenceTrial: trialId(referenceSystem(scenario), 'accuracy', transport, 1) };
}

function trialId(system: string, load: string, transport: string, repeat: number): string {
  return [slug(system), load, transport, `r${repeat}`].join('.');
}

function trial(
  kind: TrialSpec['kind'],
  scenario: Scenario,
  system: SystemSpec,
  load: LoadSpec,
  transport: string,
  repeat: number,
): TrialSpec {
  const identity: TrialIdentity = {
    id: trialId(system.name, load.name, transport, repeat),
    system: system.name,
    load: load.name,
    loadType: kind === 'measure' ? load.type : kind,
    transport,
    repeat,
    order: 0,
    simulated: false,
  };
  return {
    identity,
    kind,
    ...(kind === 'measure' && scenario.judgedShare ? { judge: true, judgedShare: scenario.judgedShare } : {}),
    ...(kind === 'accuracy' || (kind === 'measure' && scenario.judgedShare)
      ? judging(scenario, system, transport)
      : {}),
    system,
    load,
    seeds: {
      schedule: nthSeed(scenario.seeds.schedule, repeat),
      samples: nthSeed(scenario.seeds.samples, repeat),
      ...(scenario.seeds.library === undefined ? {} : { library: scenario.seeds.library }),
    },
  };
}

/** The first repeat uses the seed as given, so that MLCommons' seeds draw MLCommons' schedules. */
function nthSeed(seed: string, repeat: number): string {
  return String((BigInt(seed) + BigInt(repeat - 1)) % 2n ** 64n);
}

/** A safe file name. */
function slug(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]+/g, '-').replace(/^-+|-+$/g, '');
}
