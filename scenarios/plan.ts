import { loads } from '../clients/loads/registry.js';
import { type Problem, UserError } from '../results/errors.js';
import type { RunPlan } from '../results/run.js';
import { RUN_SCHEMA } from '../results/run.js';
import { Mt19937, permutation } from '../results/stats/random.js';
import type { TrialIdentity } from '../results/summary.js';
import { formatDuration } from '../results/units.js';
import { strategies } from '../servers/strategies/registry.js';
import type { LoadSpec, Scenario, SystemSpec, TrialSpec } from './contract.js';

/** What planning must know of a model. */
export interface PlannedModel {
  readonly name: string;
  readonly sha256: string | null;
  readonly provenance: string;
  /** Most rows of one execution: Infinity for a dynamic batch axis. */
  readonly maxBatch: number;
  /** The first input with its shape, for messages. */
  readonly firstInput: string;
}

/**
 * Every trial in the order of execution. Capacity probes come first. Then, repeat by repeat, the cells (load × transport)
 * in an order drawn from the seed, and within a cell the systems forward and backward in turn (ABBA), so that a drift of the
 * machine does not align with a system. The schedule and sample seeds of a repeat are the same for every system.
 */
export function planTrials(scenario: Scenario): TrialSpec[] {
  const trials = [...probes(scenario), ...(scenario.accuracy ? accuracyTrials(scenario) : [])];
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
  return trials.map((each, position) => ({ ...each, identity: { ...each.identity, order: position } }));
}

/** The plan as it is stored and printed. */
export function storedPlan(scenario: Scenario, trials: readonly TrialSpec[], model: PlannedModel, command: string, simulated: boolean): RunPlan {
  return {
    schema: RUN_SCHEMA,
    question: scenario.question,
    scenario: scenario.name,
    command,
    systems: scenario.systems.map(({ name, summary }) => ({ name, summary })),
    loads: scenario.loads.map(({ name, summary }) => ({ name, summary })),
    transports: scenario.transports,
    targets: scenario.targets,
    seeds: { ...scenario.seeds },
    model: { name: model.name, sha256: model.sha256, provenance: model.provenance },
    trials: trials.map((each) => ({ identity: { ...each.identity, simulated }, detail: each })),
    simulated,
  };
}

/** Refuses, before anything starts, what the model can't do. */
export function checkBatching(scenario: Scenario, modelOf: (system: SystemSpec) => PlannedModel): void {
  const problems = scenario.systems.flatMap((system): Problem[] => {
    const definition = strategies.find((each) => each.name === system.strategy.name);
    if (!definition) return [];
    const rows = definition.maxRows(definition.options.parse(system.strategy.options));
    const model = modelOf(system);
    if (rows <= 1 || model.maxBatch >= rows) return [];
    const key = system.name.split(' ')[0]!;
    const limit = Number.isFinite(rows) ? `batches of up to ${rows} rows` : 'batches of any size';
    return [
      {
        place: scenario.place(['systems', key]),
        found: `${system.strategy.name} makes ${limit}, but the model ${model.name} has the fixed batch dimension ${Math.max(1, model.maxBatch)} (input ${model.firstInput})`,
        allowed: 'strategies that never batch (serial, instance-group)',
        remedy: 'Export the model with a dynamic batch axis (a symbolic first dimension), or use serial or instance-group.',
      },
    ];
  });
  if (problems.length > 0) throw new UserError(problems);
}

/** A rough length of the whole run in ns, for the first line and the time left. */
export function estimateNs(scenario: Scenario, trials: readonly TrialSpec[]): number {
  return trials.reduce((sum, each) => sum + trialNs(scenario, each), 0);
}

/** Start-up of two processes, warm-up, load, drain and summary. */
export function trialNs(scenario: Scenario, spec: TrialSpec): number {
  if (spec.kind === 'accuracy') return 5e9;
  return 1.2e9 + scenario.warmUpNs + (loadDurationNs(spec.load) ?? 10e9);
}

/** The duration that a load's options say, defaults included. */
function loadDurationNs(load: LoadSpec): number | undefined {
  const definition = loads.find((each) => each.name === load.type);
  const parsed = definition?.options.safeParse({ ...load.options, ...(load.relativeRate ? { [load.relativeRate.key]: 1 } : {}) });
  const duration = parsed?.success ? (parsed.data as { duration?: unknown }).duration : undefined;
  return typeof duration === 'number' ? duration : undefined;
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
  return { name: 'capacity', summary: `closed loop, 8 in flight, ${formatDuration(scenario.probeNs)}`, type: 'closed', options };
}

function accuracyTrials(scenario: Scenario): TrialSpec[] {
  const load: LoadSpec = { name: 'accuracy', summary: 'every sample once', type: 'closed', options: { concurrency: 8 } };
  return scenario.systems.flatMap((system) => scenario.transports.map((transport) => trial('accuracy', scenario, system, load, transport, 1)));
}

function trial(kind: TrialSpec['kind'], scenario: Scenario, system: SystemSpec, load: LoadSpec, transport: string, repeat: number): TrialSpec {
  const identity: TrialIdentity = {
    id: [slug(system.name), load.name, transport, `r${repeat}`].join('.'),
    system: system.name,
    load: load.name,
    loadType: kind === 'measure' ? load.type : kind,
    transport,
    repeat,
    order: 0,
    simulated: false,
  };
  return { identity, kind, system, load, seeds: { schedule: nthSeed(scenario.seeds.schedule, repeat), samples: nthSeed(scenario.seeds.samples, repeat) } };
}

/** The first repeat uses the seed as given, so that MLCommons' seeds draw MLCommons' schedules. */
function nthSeed(seed: string, repeat: number): string {
  return String((BigInt(seed) + BigInt(repeat - 1)) % 2n ** 64n);
}

/** A safe file name. */
export function slug(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]+/g, '-').replace(/^-+|-+$/g, '');
}
