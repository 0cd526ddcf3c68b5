import { basename, dirname, extname, join, resolve } from 'node:path';
import { createArrival } from '../../clients/arrivals/index.js';
import { captureEnvironment } from '../../results/capture.js';
import type { Environment } from '../../results/environment.js';
import { thrownAt, UserError } from '../../results/errors.js';
import { writeFileAtomic, writeJsonAtomic } from '../../results/files.js';
import { FLEET_SCHEMA, type FleetRecord, type FleetRun } from '../../results/fleet.js';
import { writeFleetReport } from '../../results/fleet-report.js';
import { problemsOf } from '../../results/lookup.js';
import { makeFolder, safeName } from '../../results/store.js';
import type { CostTable } from '../../servers/executors/index.js';
import { costModel, instanceList, strategyContext } from '../../servers/executors/index.js';
import { createAutoscaler, type FleetResult, simulateFleet } from '../../servers/fleet/index.js';
import { DEFAULT_PROFILE_SIZES, profileModel } from '../../servers/profile.js';
import { createStrategy } from '../../servers/strategies/index.js';
import { modelArgument } from '../commands/serve.js';
import { readProfile } from '../profiles.js';
import { errorOfSimulator } from '../simulator-error.js';
import { type MergedYaml, readYaml } from '../yaml.js';
import { type FleetFile, fleetSchema, tableOf } from './schema.js';

/** Reads a fleet file. Throws UserError with all problems. */
export function readFleet(file: string): FleetFile {
  const yaml = readYaml(file);
  const parsed = fleetSchema.safeParse(yaml.value, { reportInput: true });
  if (!parsed.success) throw new UserError(problemsOf(parsed.error, [], yaml.place, fleetSchema));
  checkParts(parsed.data, yaml.place);
  const sources = (['model', 'profile', 'cost'] as const).filter((key) => parsed.data[key] !== undefined);
  if (sources.length === 1) return parsed.data;
  throw new UserError({
    place: file,
    found: sources.length === 0 ? 'no costs' : `costs from ${sources.join(' and ')}`,
    allowed: 'one of cost: [[rows, duration], …], profile: FILE, model: NAME',
  });
}

/** What has options of its own is made once, before the first fleet starts, to be told with its place. */
function checkParts({ arrivals, autoscalers, seed }: FleetFile, place: MergedYaml['place']): void {
  const attempt = (path: readonly string[], make: () => unknown): void => {
    try {
      make();
    } catch (error) {
      throw thrownAt(place(path), error);
    }
  };
  attempt(['arrivals'], () => createArrival(arrivals.process, arrivals.options, arrivals.rate, BigInt(seed)));
  for (const [name, given] of Object.entries(autoscalers)) {
    const scaler = given === null ? undefined : nameAndOptions(given);
    if (scaler) attempt(['autoscalers', name], () => createAutoscaler(scaler.name, scaler.options));
  }
}

/** Lives through each of the file's fleets under the same arrivals, and writes `fleet.json` and a page into a new folder. */
export async function runFleet(
  file: string,
  root: string,
  onFleet: (name: string) => void = () => {},
): Promise<FleetRecord & { readonly folder: string }> {
  const fleet = readFleet(file);
  const cost = await costOf(fleet, dirname(file));
  checkStrategy(fleet, cost);
  const started = performance.now();
  const runs: FleetRun[] = [];
  for (const [name, autoscaler] of Object.entries(fleet.autoscalers)) {
    onFleet(name);
    runs.push(simulateOne(fleet, cost, name, autoscaler));
  }
  const { name: strategy } = nameAndOptions(fleet.strategy);
  const record: FleetRecord = {
    schema: FLEET_SCHEMA,
    question: fleet.question,
    file: basename(file),
    strategy,
    cost,
    objectiveNs: fleet.objective,
    durationNs: fleet.duration,
    arrivals: `${fleet.arrivals.process} at ${fleet.arrivals.rate}/s`,
    replicas: { ...fleet.replicas, startUpNs: fleet.replicas.startUp },
    runs,
    seconds: (performance.now() - started) / 1000,
    simulator: errorOfSimulator(strategy).text,
  };
  return { ...record, folder: await store(file, root, record, captureEnvironment()) };
}

function simulateOne(
  fleet: FleetFile,
  cost: CostTable,
  name: string,
  autoscaler: string | { name: string } | null,
): FleetRun {
  const scaler = autoscaler === null ? undefined : nameAndOptions(autoscaler);
  const { strategy, replicas, gateway, arrivals, duration, objective, seed, interval } = fleet;
  const cpu = process.cpuUsage();
  const result = simulateFleet({
    strategy: nameAndOptions(strategy),
    cost,
    replicas: { ...replicas, startUpNs: replicas.startUp },
    picker: gateway,
    autoscaler: scaler && { scale: createAutoscaler(scaler.name, scaler.options), intervalNs: interval },
    nextGapNs: createArrival(arrivals.process, arrivals.options, arrivals.rate, BigInt(seed), 'arrivals'),
    durationNs: duration,
    objectiveNs: objective,
    seed: BigInt(seed) + 1n,
  });
  const { user, system } = process.cpuUsage(cpu);
  return {
    name,
    autoscaler: scaler?.name ?? null,
    ...summaryOf(result),
    cpuSeconds: (user + system) / 1e6,
    windows: result.windows,
  };
}

function summaryOf(result: FleetResult): Omit<FleetRun, 'name' | 'autoscaler' | 'cpuSeconds' | 'windows'> {
  const {
    latency,
    offered,
    answered,
    rejected,
    unserved,
    good,
    events,
    replicaSeconds,
    peakReplicas,
    peakInFlight,
    executions,
    rows,
  } = result;
  const at = (p: number) => (latency.count > 0 ? latency.percentile(p) : null);
  return {
    ...{ offered, answered, rejected, unserved, good, events, replicaSeconds, peakReplicas, peakInFlight },
    meanBatch: executions > 0 ? rows / executions : null,
    p50Ns: at(0.5),
    p99Ns: at(0.99),
    p999Ns: at(0.999),
  };
}

function nameAndOptions(given: string | { readonly name: string }): { name: string; options: Record<string, unknown> } {
  if (typeof given === 'string') return { name: given, options: {} };
  const { name, ...options } = given;
  return { name, options };
}

/** A wrong name or option is told before the first fleet starts. */
function checkStrategy({ strategy, replicas }: FleetFile, cost: CostTable): void {
  const instances = instanceList(replicas.instances);
  const { name, options } = nameAndOptions(strategy);
  createStrategy(name, options, strategyContext(instances, costModel(instances, { cost })));
}

async function costOf({ cost, profile, model }: FleetFile, folder: string): Promise<CostTable> {
  if (cost !== undefined) return tableOf(cost);
  if (profile !== undefined) return readProfile(resolve(folder, profile));
  return profileModel({ model: modelArgument(model!), sizes: DEFAULT_PROFILE_SIZES, rounds: 30 });
}

async function store(file: string, root: string, record: FleetRecord, environment: Environment): Promise<string> {
  const stamp = new Date().toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const folder = makeFolder(join(root, `${stamp}-fleet-${safeName(basename(file, extname(file)))}`), 'the fleet');
  writeJsonAtomic(join(folder, 'fleet.json'), record, 'the fleet');
  writeJsonAtomic(join(folder, 'environment.json'), environment, 'the fleet');
  for (const { path, content } of await writeFleetReport(record))
    writeFileAtomic(join(folder, path), content, 'the page of the fleet');
  return folder;
}
