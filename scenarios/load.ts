import { existsSync } from 'node:fs';
import { basename, dirname, extname, resolve } from 'node:path';
import type { z } from 'zod';
import { arrivals } from '../clients/arrivals/index.js';
import { type LoadDefinition, loads, planLoad } from '../clients/loads/index.js';
import { samples } from '../clients/samples/index.js';
import { transports } from '../clients/transports/index.js';
import { variantPath } from '../optimizers/make-variant.js';
import { denseModelPath } from '../optimizers/onnx/dense.js';
import { passes } from '../optimizers/passes/index.js';
import { type Problem, thrownAt, UserError } from '../results/errors.js';
import { keysOf, lookFor, problemsOf, unknownKey, unknownName } from '../results/lookup.js';
import { checkMonitor, type MonitorChoice } from '../results/monitors/index.js';
import type { MadeModel, ModelSpec } from '../servers/models/index.js';
import { findModel, models, packagedModels, processingOf, runtimeOf } from '../servers/models/index.js';
import { graphProblems } from '../servers/protocol/index.js';
import { runtimes } from '../servers/runtimes/index.js';
import { strategies } from '../servers/strategies/index.js';
import type {
  LoadSpec,
  RelativeAccuracy,
  RelativeRate,
  SamplesChoice,
  Scenario,
  Seeds,
  SystemSpec,
} from './contract.js';
import { fleetSummary, readFleet } from './load-fleet.js';
import { checkAskedModels, readFront, readHosted } from './load-hosted.js';
import { ownSamples } from './samples.js';
import {
  denseSchema,
  type EnsembleChoice,
  externalSystemSchema,
  loadSchema,
  scenarioSchema,
  systemSchema,
} from './schema.js';
import { readTune } from './tune/space.js';
import { isRecord, type MergedYaml, readYaml } from './yaml.js';

type Path = readonly (string | number)[];

/** MLCommons' seeds of mlperf.conf 6.x, for the `mlperf` presets; small ones otherwise. */
const DEFAULT_SEEDS = {
  quick: { schedule: '1', samples: '2', order: '3', bootstrap: '4' },
  mlperf: {
    schedule: '16159082839903944936',
    samples: '2747215439041700203',
    library: '2085463073848966840',
    order: '3',
    bootstrap: '4',
  },
} as const;

/** Reads and validates a scenario file. Throws one UserError that holds *all* problems found. */
export function loadScenario(file: string): Scenario {
  const yaml = readYaml(file);
  const found: Problem[] = [];
  const top = readOn(scenarioSchema, yaml.value, [], yaml, found, REQUIRED);
  if (!top) throw new UserError(found);
  const model = readModel(top.model, ['model'], yaml, found, dirname(file));
  // Without a sound model the systems are read for their own mistakes; the scenario is refused anyway.
  const chosenSamples = readSamples(top.samples, yaml, found, dirname(file));
  const withPlaces = (list: readonly SystemSpec[]) => list.map((system) => placed(system, chosenSamples));
  const systems = withPlaces(readSystems(yaml, model ?? { zoo: 'fashion-mlp' }, found, dirname(file)));
  const twin = readTwin(top.comparison.noiseFloor, systems, yaml, found);
  const loadSpecs = readLoads(yaml, found, dirname(file));
  checkAskedModels(loadSpecs, systems, { yaml, found });
  checkTransports(top.transports, yaml, found);
  const chosenMonitors = readMonitors(top.monitors, top.monitorPeriod, yaml, found);
  checkLoadProcesses(top.loadProcesses, loadSpecs, top.transports, yaml, found);
  checkRelativeRates(loadSpecs, systems, top.transports, yaml, found);
  const relativeAccuracy = readRelativeAccuracy(
    top.targets.relativeAccuracy,
    top.accuracy !== false,
    systems,
    yaml,
    found,
  );
  const seeds = readSeeds(top.seeds, DEFAULT_SEEDS[top.preset === 'quick' ? 'quick' : 'mlperf'], yaml, found);
  const tune =
    top.tune === undefined || found.length > 0
      ? undefined
      : readTune(top.tune, {
          yaml,
          systems,
          loads: loadSpecs,
          transports: top.transports,
          found,
          readSystem: (name, raw, problems) =>
            withPlaces(readSystem(name, raw, ['systems', name.split(' ')[0]!], yaml, model!, problems, dirname(file))),
        });
  if (found.length > 0 || !model) throw new UserError(found);
  return {
    file,
    name: basename(file, extname(file)),
    question: top.question,
    preset: top.preset,
    model: placedModel(model, basename(file, extname(file)), chosenSamples),
    samples: chosenSamples,
    systems: twin ? [...systems, twin] : systems,
    ...(twin ? { twins: [top.comparison.noiseFloor!, twin.name] as const } : {}),
    loads: loadSpecs,
    transports: top.transports,
    targets: {
      p99LatencyNs: top.targets.p99Latency,
      errorRate: top.targets.errorRate,
      accuracy: top.targets.accuracy,
      ...(relativeAccuracy ? { relativeAccuracy } : {}),
    },
    repeats: top.repeats,
    seeds,
    warmUpNs: top.warmUp,
    probeNs: top.probe,
    accuracy: top.accuracy !== false,
    ...(typeof top.accuracy === 'object' && top.accuracy.sampled ? { judgedShare: top.accuracy.sampled } : {}),
    ...(typeof top.accuracy === 'object' && top.accuracy.metric ? { accuracyMetric: top.accuracy.metric } : {}),
    loadProcesses: top.loadProcesses,
    connections: top.connections,
    loadScheduling: top.loadScheduling,
    monitors: { choices: chosenMonitors, periodMs: top.monitorPeriod / 1e6 },
    simulate: top.simulate,
    tune,
    place: yaml.place,
  };
}

/** The system of `comparison.noiseFloor` once more, under another name. */
function readTwin(
  name: string | undefined,
  systems: readonly SystemSpec[],
  yaml: MergedYaml,
  found: Problem[],
): SystemSpec | undefined {
  if (name === undefined) return undefined;
  const place = yaml.place(['comparison', 'noiseFloor']);
  const system = lookFor(systems, name, 'system', place, found);
  if (!system) return undefined;
  const twin = `${name}-again`;
  if (systems.some((each) => each.name === twin))
    found.push({
      place,
      found: `"${twin}", the name of its A/A twin, is another system's`,
      remedy: 'Rename that one.',
    });
  return { ...system, name: twin, summary: `${system.summary} (A/A twin of ${name})` };
}

/** Stand in for required keys that are missing or wrong. */
const REQUIRED = { schema: 1, question: '?', systems: {}, loads: {} };

/**
 * Parses a map of keys. Those that are wrong are told and then taken as absent, so that they hide no mistake elsewhere;
 * undefined where one of them is required and nothing stands in for it.
 */
function readOn<Schema extends z.ZodType>(
  schema: Schema,
  raw: Readonly<Record<string, unknown>>,
  path: Path,
  yaml: MergedYaml,
  found: Problem[],
  standIns: Readonly<Record<string, unknown>> = {},
): z.output<Schema> | undefined {
  const parsed = schema.safeParse(raw, { reportInput: true });
  if (parsed.success) return parsed.data;
  found.push(...problemsOf(parsed.error, path, yaml.place, schema));
  const wrong = new Set(
    parsed.error.issues.flatMap((issue) =>
      issue.path.length === 0 && issue.code === 'unrecognized_keys' ? issue.keys : [String(issue.path[0])],
    ),
  );
  const sound = Object.entries(raw).filter(([key]) => !wrong.has(key));
  return schema.safeParse({ ...standIns, ...Object.fromEntries(sound) }).data;
}

/** A zoo name, `{ path }` or `{ runtime, … }`; paths are relative to the scenario file. */
function readModel(
  raw: unknown,
  path: Path,
  yaml: MergedYaml,
  found: Problem[],
  folder: string,
  inherited?: ModelSpec,
): ModelSpec | undefined {
  if (typeof raw === 'string') return zooModel(raw, yaml.place(path), found);
  if (!isRecord(raw)) {
    found.push({
      place: yaml.place(path),
      found: 'is no model',
      allowed: 'a zoo name, { path: ./my.onnx }, { dense: { layers: 8, width: 512 } } or { runtime: synthetic, … }',
    });
    return undefined;
  }
  if (raw.passes !== undefined) return readMade(raw, path, yaml, found, folder, inherited);
  const converted = readConverted(raw, path, yaml, found, folder, inherited);
  if (converted) return converted;
  const {
    zoo,
    path: file,
    dense,
    runtime,
    name: servedAs,
    ...options
  } = raw as { zoo?: string; path?: string; dense?: Record<string, unknown>; runtime?: string; name?: string };
  if (zoo !== undefined) {
    const known = zooModel(zoo, yaml.place([...path, 'zoo']), found);
    return known && { ...known, options };
  }
  const isOwn = namesSource(raw) && !(inherited && runtime !== undefined && runtime === ownRuntime(inherited));
  if (inherited !== undefined && !isOwn) return inheriting(inherited, servedAs, options, path, yaml, found);
  if (dense !== undefined) {
    const sizes = readOn(denseSchema, dense, [...path, 'dense'], yaml, found);
    return sizes && { path: denseModelPath(sizes), dense: sizes, name: servedAs, options };
  }
  const runtimeName = runtime ?? runtimeOfFile(file && resolve(folder, file));
  const definition = lookFor(runtimes, runtimeName, 'runtime', yaml.place([...path, 'runtime']), found);
  if (!definition) return undefined;
  if (file === undefined && runtimeName === 'onnx') {
    found.push({
      place: yaml.place(path),
      found: 'names no model file',
      allowed: 'path: ./my.onnx',
      remedy: 'Add the path, or a runtime that needs no file (synthetic, "null").',
    });
    return undefined;
  }
  if (!checkOptions(definition.options, options, path, yaml, found)) return undefined;
  return file === undefined
    ? { runtime: runtimeName, name: servedAs, options }
    : { path: resolve(folder, file), ...(runtime && { runtime }), name: servedAs, options };
}

/** Whether the keys say where a model comes from; others are its options. */
function namesSource(raw: Readonly<Record<string, unknown>>): boolean {
  return ['zoo', 'path', 'dense', 'runtime'].some((key) => raw[key] !== undefined);
}

/** The scenario's model with other options of its runtime, and perhaps under another name. */
function inheriting(
  model: ModelSpec,
  name: string | undefined,
  options: Readonly<Record<string, unknown>>,
  path: Path,
  yaml: MergedYaml,
  found: Problem[],
): ModelSpec | undefined {
  // What a zoo entry runs on is known when it is resolved, which is before anything starts.
  const runtime =
    'zoo' in model ? undefined : (model.runtime ?? runtimeOfFile('path' in model ? model.path : undefined));
  const definition = runtimes.find((each) => each.name === runtime);
  if (definition && !checkOptions(definition.options, options, path, yaml, found)) return undefined;
  return {
    ...model,
    ...(name !== undefined && !('zoo' in model) && { name }),
    options: { ...model.options, ...options },
  };
}

/** Runtimes that load files, each its own kind; of the one kind the other is made. */
const FORMS = ['onnx', 'tfjs'];

/** A model asked of the other runtime than the one that loads its file: converted once. Undefined where nothing is to be converted. */
function readConverted(
  { runtime, name, zoo, path: file, dense, ...options }: Readonly<Record<string, unknown>>,
  path: Path,
  yaml: MergedYaml,
  found: Problem[],
  folder: string,
  inherited: ModelSpec | undefined,
): ModelSpec | undefined {
  if (typeof runtime !== 'string' || !FORMS.includes(runtime)) return undefined;
  const source = Object.entries({ zoo, path: file, dense }).filter(([, value]) => value !== undefined);
  // Its mistakes are told by whoever reads it next.
  const parent = source.length > 0 ? readModel(Object.fromEntries(source), path, yaml, [], folder) : inherited;
  const own = parent && ownRuntime(parent);
  if (parent === undefined || own === undefined || !FORMS.includes(own) || own === runtime) return undefined;
  checkOptions(runtimes.find((each) => each.name === runtime)!.options, options, path, yaml, found);
  return madeOf(parent, [], typeof name === 'string' ? name : undefined, options, runtime);
}

/** What loads a model's file; undefined where it has none. */
function ownRuntime(model: ModelSpec): string | undefined {
  if ('zoo' in model) return findModel(model.zoo)?.runtime;
  if (!('path' in model)) return undefined;
  return model.runtime ?? (model.made ? (model.made.form ?? 'onnx') : runtimeOfFile(model.path));
}

/** A model that is made before anything starts; its place in the cache follows when the samples are known (`placed`). */
function madeOf(
  parent: ModelSpec,
  steps: MadeModel['passes'],
  name: string | undefined,
  options: Readonly<Record<string, unknown>> | undefined,
  runtime: string | undefined,
): ModelSpec {
  const before = 'path' in parent ? parent.made : undefined;
  const made = before
    ? { parent: before.parent, passes: [...before.passes, ...steps], samples: null }
    : { parent, passes: steps, samples: null };
  const form = runtime === 'tfjs' ? ({ form: 'tfjs' } as const) : {};
  const by = runtime === undefined || FORMS.includes(runtime) ? {} : { runtime };
  return { path: '', ...by, name, options, made: { ...made, ...form } };
}

/** For the check of its options; what is wrong with the file itself is told when it is looked for. */
function runtimeOfFile(file: string | undefined): string {
  try {
    return file === undefined ? 'onnx' : runtimeOf(file);
  } catch {
    return 'onnx';
  }
}

/**
 * A model that passes make: of what the other keys name, or of the scenario's model; keys that name nothing are options of
 * the runtime that executes what was made.
 */
function readMade(
  { passes: written, name, runtime, ...rest }: Readonly<Record<string, unknown>>,
  path: Path,
  yaml: MergedYaml,
  found: Problem[],
  folder: string,
  inherited: ModelSpec | undefined,
): ModelSpec | undefined {
  const own = namesSource(rest) || inherited === undefined;
  const parent = own ? readModel(rest, path, yaml, found, folder) : inherited;
  const options = own ? parent?.options : { ...inherited.options, ...rest };
  const steps = (written as readonly (string | { readonly name: string })[]).map((step, index) => {
    const { name: pass, ...options } = typeof step === 'string' ? { name: step } : step;
    const place = [...path, 'passes', index];
    const definition = lookFor(passes, pass, 'pass', yaml.place(place), found);
    if (definition) checkOptions(definition.options, options, place, yaml, found);
    return { name: pass, options };
  });
  if (parent === undefined) return undefined;
  if (!('path' in parent || 'zoo' in parent)) {
    found.push({ place: yaml.place([...path, 'passes']), found: 'passes rewrite ONNX files, and this model has none' });
    return undefined;
  }
  const servedAs = typeof name === 'string' ? name : undefined;
  const by = typeof runtime === 'string' ? runtime : undefined;
  if (by !== undefined) lookFor(runtimes, by, 'runtime', yaml.place([...path, 'runtime']), found);
  const splits = steps.find(({ name: pass }) => passes.find((each) => each.name === pass)?.splits);
  if (by === 'tfjs' && splits)
    found.push({
      place: yaml.place([...path, 'passes']),
      found: `${splits.name} makes several models, which TensorFlow.js can't execute as one`,
      remedy: 'Leave the runtime out',
    });
  return madeOf(parent, steps, servedAs, options, by);
}

/** The system with its made models' samples and places in the cache. */
function placed(system: SystemSpec, choice: SamplesChoice | undefined): SystemSpec {
  const others = system.others?.map((other) => ({
    ...other,
    model: placedModel(other.model, other.modelName!, choice),
  }));
  const sharing = system.sharing?.map((other) => ({
    ...other,
    model: placedModel(other.model, other.modelName, choice),
  }));
  const model = placedModel(system.model, system.name, choice, system.processing);
  return { ...system, model, ...(others && { others }), ...(sharing && { sharing }) };
}

function placedModel(
  model: ModelSpec,
  of: string,
  choice: SamplesChoice | undefined,
  processing?: SystemSpec['processing'],
): ModelSpec {
  if (!('path' in model) || !model.made) return model;
  const own = choice ?? ownSamples(model.made.parent);
  // Given for tensors as they are, they need no processor.
  const samples = own && choice && processing === 'none' ? { ...own, bare: true } : own;
  const made = { ...model.made, samples: samples ?? null };
  return { ...model, name: model.name ?? variantName(of), path: variantPath(made), made };
}

/** A model's name on the wire is a path segment. */
function variantName(system: string): string {
  return system.replace(/[^A-Za-z0-9_-]+/g, '-');
}

function zooModel(name: string, place: string, found: Problem[]): ModelSpec | undefined {
  if (findModel(name)) return { zoo: name };
  found.push({
    ...unknownName(place, 'model', name, [...models, ...packagedModels]),
    remedy: /[./]/.test(name)
      ? `For a file write { path: ${name} }.`
      : '`servemark list models` describes them all; for a file write { path: ./my.onnx }.',
  });
  return undefined;
}

function readSystems(yaml: MergedYaml, model: ModelSpec, found: Problem[], folder: string): SystemSpec[] {
  const raw = yaml.value.systems;
  if (!isRecord(raw)) return [];
  if (Object.keys(raw).length === 0)
    found.push({
      place: yaml.place(['systems']),
      found: 'names no system',
      allowed: 'at least one, like serial: { strategy: serial }',
    });
  return Object.entries(raw).flatMap(([name, value]) => {
    const path = ['systems', name];
    if (!checkName(name, 'system', yaml.place(path, true), found)) return [];
    return readSystem(name, value, path, yaml, model, found, folder);
  });
}

function readSystem(
  name: string,
  raw: unknown,
  path: Path,
  yaml: MergedYaml,
  model: ModelSpec,
  found: Problem[],
  folder: string,
): SystemSpec[] {
  if (!isRecord(raw)) {
    found.push({ place: yaml.place(path), found: 'is no system', allowed: '{ strategy: NAME, its options … }' });
    return [];
  }
  if (raw.external !== undefined) return readExternal(name, raw, path, yaml, model, found, folder);
  const own = keysOf(systemSchema);
  const ownValues = Object.fromEntries(Object.entries(raw).filter(([key]) => own.includes(key)));
  const common = readOn(systemSchema, ownValues, path, yaml, found);
  if (!common) return [];
  const ownModel =
    common.model === undefined ? model : readModel(common.model, [...path, 'model'], yaml, found, folder, model);
  const definition = lookFor(strategies, common.strategy, 'strategy', yaml.place([...path, 'strategy']), found);
  if (!definition) return [];
  const optionKeys = keysOf(definition.options);
  const foreign = Object.keys(raw).filter((key) => !own.includes(key) && !optionKeys.includes(key));
  found.push(...foreign.map((key) => unknownKey(yaml.place([...path, key], true), key, [...optionKeys, ...own])));
  const options = Object.fromEntries(
    Object.entries(raw).filter(([key]) => !own.includes(key) && optionKeys.includes(key)),
  );
  const { sweep, instances, isolation, ensemble, serverCpus, loadCpus, requestLog, processing } = common;
  if (ensemble) found.push(...ensembleProblems(ensemble, [...path, 'ensemble'], yaml));
  if (ownModel && processing === 'client') checkProcessors(ownModel, yaml.place([...path, 'processing']), found);
  const fleet = readFleet(common, ownModel, path, {
    yaml,
    found,
    readOther: (to) => readOther(to, path, yaml, model, found, folder),
  });
  const hosted = readHosted(common.models, [...path, 'models'], {
    yaml,
    found,
    read: (other, entry, at) => readSystem(other, entry, at, yaml, ownModel ?? model, found, folder)[0],
  });
  const front = readFront(common.front, [...path, 'front'], { yaml, found });
  return sweepPoints(sweep ?? {}).flatMap((point): SystemSpec[] => {
    const { instances: sweptInstances, ...swept } = point;
    const all = { ...options, ...swept };
    if (!checkOptions(definition.options, all, path, yaml, found, Object.keys(swept)) || !ownModel) return [];
    const count =
      typeof sweptInstances === 'number'
        ? sweptInstances
        : (instances ?? (definition.name === 'instance-group' ? 2 : 1));
    return [
      {
        name: [name, ...Object.entries(point).map(([key, value]) => `${key}=${text(value)}`)].join(' '),
        summary:
          summaryOf(definition.name, all, count, isolation) +
          hostedSummary(hosted, front.front?.name) +
          ensembleSummary(ensemble) +
          fleetSummary(fleet),
        strategy: { name: definition.name, options: all },
        instances: count,
        isolation,
        model: ownModel,
        serverCpus,
        loadCpus,
        requestLog,
        ...(ensemble && { ensemble }),
        ...(processing ? { processing } : {}),
        ...hosted,
        ...front,
        ...fleet,
      },
    ];
  });
}

function checkProcessors(model: ModelSpec, place: string, found: Problem[]): void {
  if (processingOf(model)) return;
  found.push({
    place,
    found: 'the model’s entry has no processors that the client could run',
    allowed: 'a model of the zoo that has some (servemark models list)',
  });
}

/** The other system of a gateway's route: one of the scenario's by name, or one of its own. It stands behind the same gateway. */
function readOther(
  to: unknown,
  path: Path,
  yaml: MergedYaml,
  model: ModelSpec,
  found: Problem[],
  folder: string,
): SystemSpec | undefined {
  const declared = isRecord(yaml.value.systems) ? yaml.value.systems : {};
  const here = [...path, 'gateway', 'route', 'to'];
  if (typeof to === 'string' && !Object.hasOwn(declared, to)) {
    found.push(unknownName(yaml.place(here), 'system', to, Object.keys(declared)));
    return undefined;
  }
  const raw = typeof to === 'string' ? declared[to] : to;
  if (
    !isRecord(raw) ||
    raw.external !== undefined ||
    raw.gateway !== undefined ||
    raw.autoscaler !== undefined ||
    raw.sweep !== undefined
  ) {
    found.push({
      place: yaml.place(here),
      found: 'is no system that can stand behind this gateway',
      allowed: 'the name of one, or { strategy: NAME, … }, without external, gateway, autoscaler or sweep',
    });
    return undefined;
  }
  return readSystem(
    typeof to === 'string' ? to : 'other',
    raw,
    typeof to === 'string' ? ['systems', to] : here,
    yaml,
    model,
    found,
    folder,
  )[0];
}

/** A server that is not ours; its working folder is relative to the scenario file. */
function readExternal(
  name: string,
  raw: Readonly<Record<string, unknown>>,
  path: Path,
  yaml: MergedYaml,
  model: ModelSpec,
  found: Problem[],
  folder: string,
): SystemSpec[] {
  const common = readOn(externalSystemSchema, raw, path, yaml, found);
  const ownModel =
    common?.model === undefined ? model : readModel(common.model, [...path, 'model'], yaml, found, folder, model);
  if (!common || !ownModel) return [];
  const { external, serverCpus, loadCpus } = common;
  const { readyTimeout, stopTimeout, cwd, ...rest } = external;
  return [
    {
      name,
      summary: `external: ${external.start?.join(' ') ?? external.url ?? external.grpc}`,
      strategy: { name: 'external', options: {} },
      instances: 1,
      isolation: 'process',
      model: ownModel,
      external: { ...rest, cwd: resolve(folder, cwd), readyTimeoutNs: readyTimeout, stopTimeoutNs: stopTimeout },
      serverCpus,
      loadCpus,
    },
  ];
}

/** Every combination of the values, the last key fastest. */
function sweepPoints(sweep: Readonly<Record<string, readonly unknown[]>>): Record<string, unknown>[] {
  return Object.entries(sweep).reduce<Record<string, unknown>[]>(
    (points, [key, values]) => points.flatMap((point) => values.map((value) => ({ ...point, [key]: value }))),
    [{}],
  );
}

function summaryOf(
  strategy: string,
  options: Readonly<Record<string, unknown>>,
  instances: number,
  isolation: string,
): string {
  const parts = Object.entries(options).map(([key, value]) => `${key} ${text(value)}`);
  if (instances > 1) parts.push(`${instances} instances`);
  if (isolation === 'process') parts.push('in processes');
  return [strategy, ...parts].join(', ');
}

function hostedSummary(
  { others = [], sharing = [] }: Pick<SystemSpec, 'others' | 'sharing'>,
  front: string | undefined,
): string {
  const behind = front === undefined ? '' : `, behind ${front}`;
  const shared = sharing.length > 0 ? `, ${modelCount(sharing.length)} in the same instances` : '';
  const beside = others.length > 0 ? `, beside ${modelCount(others.length)}` : '';
  return shared + beside + behind;
}

function ensembleSummary(ensemble: SystemSpec['ensemble']): string {
  if (ensemble === undefined) return '';
  return `, a graph of ${ensemble.steps.length} steps in the ${ensemble.at}`;
}

/** Whether the models have these tensors is seen when they are loaded. */
function ensembleProblems(ensemble: EnsembleChoice, path: Path, yaml: MergedYaml): Problem[] {
  return graphProblems(ensemble).map(({ at, ...rest }) => ({
    place: yaml.place([
      ...path,
      ...at
        .split(/[.[\]]+/)
        .filter((part) => part !== '')
        .map((part) => (/^\d+$/.test(part) ? Number(part) : part)),
    ]),
    ...rest,
  }));
}

function modelCount(count: number): string {
  return `${count} other ${count === 1 ? 'model' : 'models'}`;
}

function text(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function readLoads(yaml: MergedYaml, found: Problem[], folder: string): LoadSpec[] {
  const raw = yaml.value.loads;
  if (!isRecord(raw)) return [];
  if (Object.keys(raw).length === 0)
    found.push({
      place: yaml.place(['loads']),
      found: 'names no load',
      allowed: 'at least one, like alone: { type: single-stream }',
    });
  return Object.entries(raw).flatMap(([name, value]) => {
    const path = ['loads', name];
    if (!checkName(name, 'load', yaml.place(path, true), found)) return [];
    const { apart, ...whole } = isRecord(value) ? value : {};
    return apartLoads(name, isRecord(value) ? whole : value, apart).flatMap(([own, raw], i) => {
      // What is wrong with all of them is told once.
      const load = readLoad(own, raw, path, yaml, i === 0 ? found : [], folder);
      if (i === 0 && load && apart !== undefined) checkApart(load, apart, path, yaml, found);
      return load ? [load] : [];
    });
  });
}

/** The load, and with `apart` its clients alone (`load-client`) and in pairs (`load-client-client`). */
function apartLoads(name: string, raw: unknown, apart: unknown): (readonly [name: string, raw: unknown])[] {
  const all = isRecord(raw) && Array.isArray(raw.clients) ? (raw.clients as readonly unknown[]) : [];
  if (apart === undefined || !isRecord(raw) || all.length < 2) return [[name, raw]];
  const groups = all.map((client) => [client]);
  if (apart === 'pairs' && all.length > 2)
    groups.push(...all.flatMap((one, i) => all.slice(i + 1).map((other) => [one, other])));
  const nameOf = (client: unknown) => (isRecord(client) ? String(client.tenant).replace(/[^A-Za-z0-9_-]/g, '-') : '?');
  return [
    [name, raw],
    ...groups.map((group) => [[name, ...group.map(nameOf)].join('-'), { ...raw, clients: group }] as const),
  ];
}

function checkApart(load: LoadSpec, apart: unknown, path: Path, yaml: MergedYaml, found: Problem[]): void {
  if (load.type === 'clients') readOn(loadSchema, { apart }, path, yaml, found);
  else
    found.push({
      place: yaml.place([...path, 'apart'], true),
      found: `${load.type} loads have no clients to set apart`,
      allowed: 'with type: clients',
    });
}

function readLoad(
  name: string,
  raw: unknown,
  path: Path,
  yaml: MergedYaml,
  found: Problem[],
  folder: string,
): LoadSpec | undefined {
  if (!isRecord(raw) || typeof raw.type !== 'string') {
    found.push({
      place: yaml.place(path),
      found: 'names no type',
      allowed: `{ type: ${loads.map((each) => each.name).join(' | ')}, … }`,
    });
    return undefined;
  }
  const { type, loadProcesses: processes, ...options } = raw as { type: string } & Record<string, unknown>;
  const definition = lookFor(loads, type, 'load type', yaml.place([...path, 'type']), found);
  if (!definition) return undefined;
  const relativeRate = findRelativeRate(options);
  const common = readOn(loadSchema, processes === undefined ? {} : { loadProcesses: processes }, path, yaml, found);
  if (
    !checkOptions(definition.options, relativeRate ? { ...options, [relativeRate.key]: 1 } : options, path, yaml, found)
  )
    return undefined;
  const located = arrivalsFrom(options, folder);
  if (!canBeDrawn(type, relativeRate ? { ...located, [relativeRate.key]: 1 } : located, path, yaml, found))
    return undefined;
  return {
    name,
    summary: [
      type,
      ...Object.entries(options).map(([key, value]) =>
        key === 'rate' ? `at ${text(value)}` : `${key} ${key === 'clients' ? tenantsOf(value) : text(value)}`,
      ),
    ].join(', '),
    type,
    options: Object.fromEntries(Object.entries(located).filter(([key]) => key !== relativeRate?.key)),
    relativeRate,
    processes: common?.loadProcesses,
  };
}

function tenantsOf(clients: unknown): string {
  return (clients as readonly { readonly tenant: string }[]).map(({ tenant }) => tenant).join(', ');
}

/** Draws the load once, over a library of some size: a trace that can't be read, or too many requests, is told before anything starts. */
function canBeDrawn(
  type: string,
  options: Readonly<Record<string, unknown>>,
  path: Path,
  yaml: MergedYaml,
  found: Problem[],
): boolean {
  const seeds = { scheduleSeed: 1n, sampleSeed: 2n };
  try {
    planLoad(type, options, { ...seeds, totalSampleCount: 10_000, performanceSampleCount: 10_000, preset: 'quick' });
    return true;
  } catch (error) {
    const told = thrownAt(yaml.place(path), error);
    if (!(told instanceof UserError)) throw error;
    found.push(...told.problems);
    return false;
  }
}

function arrivalsFrom(options: Readonly<Record<string, unknown>>, folder: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) => [key, key === 'arrivalOptions' ? fromFolder(value, folder) : value]),
  );
}

/** The file of a recorded trace lies beside the scenario, as every file that a scenario names. */
function fromFolder(options: unknown, folder: string): unknown {
  return isRecord(options) && typeof options.path === 'string'
    ? { ...options, path: resolve(folder, options.path) }
    : options;
}

/** The option whose value is relative to a measured capacity; a load has one rate. */
function findRelativeRate(options: Readonly<Record<string, unknown>>): RelativeRate | undefined {
  for (const key of ['rate', 'expectedRate']) {
    const value = options[key];
    const parsed = typeof value === 'string' ? parseRelativeRate(value) : undefined;
    if (parsed) return { key, ...parsed };
  }
  return undefined;
}

/** `50% of serial`, `150% of serial on grpc`; undefined where the text is something else. */
export function parseRelativeRate(rate: string): Omit<RelativeRate, 'key'> | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*%\s+of\s+(.+?)(?:\s+on\s+([\w-]+))?\s*$/.exec(rate);
  return match ? { factor: Number(match[1]) / 100, system: match[2]!, transport: match[3] } : undefined;
}

/** `99% of fp32`. */
function readRelativeAccuracy(
  text: string | undefined,
  judged: boolean,
  systems: readonly SystemSpec[],
  yaml: MergedYaml,
  found: Problem[],
): RelativeAccuracy | undefined {
  if (text === undefined) return undefined;
  const place = yaml.place(['targets', 'relativeAccuracy']);
  const parsed = parseRelativeRate(text);
  if (!parsed || parsed.transport || parsed.factor <= 0) {
    found.push({ place, found: `"${text}" is no share of a system's accuracy`, allowed: 'like "99% of fp32"' });
    return undefined;
  }
  if (!judged)
    found.push({ place, found: 'no accuracy is measured that could be compared', remedy: 'Add accuracy: true.' });
  const system = lookFor(systems, parsed.system, 'system', place, found);
  return system && { share: Number(parsed.factor.toFixed(12)), system: system.name };
}

function checkRelativeRates(
  specs: readonly LoadSpec[],
  systems: readonly SystemSpec[],
  used: readonly string[],
  yaml: MergedYaml,
  found: Problem[],
): void {
  for (const { name, relativeRate } of specs) {
    if (!relativeRate) continue;
    const place = yaml.place(['loads', name, relativeRate.key]);
    if (relativeRate.factor <= 0) found.push({ place, found: 'asks for no load at all', allowed: 'more than 0%' });
    if (!systems.some((system) => system.name === relativeRate.system)) {
      // A system that is there but wrong has been told of already.
      const declared = isRecord(yaml.value.systems) ? Object.keys(yaml.value.systems) : [];
      const allowed = declared.flatMap((name) => {
        const points = systems.map((system) => system.name).filter((point) => point.split(' ')[0] === name);
        return points.length > 0 ? points : [name];
      });
      if (
        !declared.includes(relativeRate.system) ||
        systems.some((system) => system.name.startsWith(`${relativeRate.system} `))
      )
        found.push(unknownName(place, 'system', relativeRate.system, allowed));
    }
    if (relativeRate.transport && !used.includes(relativeRate.transport))
      found.push(unknownName(place, 'transport', relativeRate.transport, used));
  }
}

/** In-process there is but one process; a load of a few in flight can't be dealt out to more processes than that. */
function checkLoadProcesses(
  common: number,
  specs: readonly LoadSpec[],
  used: readonly string[],
  yaml: MergedYaml,
  found: Problem[],
): void {
  const asked = [
    { place: ['loadProcesses'], processes: common, most: Number.POSITIVE_INFINITY },
    ...specs.map(({ name, type, options, processes = 1 }) => ({
      place: ['loads', name, 'loadProcesses'],
      processes,
      most: mostOf(type, options),
    })),
  ];
  for (const { place, processes, most } of asked) {
    if (processes > 1 && used.includes('in-process'))
      found.push({
        place: yaml.place(place),
        found: `${processes} load processes, but in-process load and server are one process`,
        allowed: '1 with the transport in-process',
        remedy: 'Leave loadProcesses out, or in-process out of transports.',
      });
    if (processes > most)
      found.push({
        place: yaml.place(place),
        found: `${processes} load processes for a load with at most ${most} in flight`,
        allowed: `at most ${most}`,
      });
  }
}

/** Requests or queries that a load may have in flight. */
function mostOf(type: string, options: Readonly<Record<string, unknown>>): number {
  const definition = loads.find((each) => each.name === type) as LoadDefinition | undefined;
  // A rate that is relative is not among the options yet.
  const parsed = [options, { ...options, rate: 1 }].map((each) => definition?.options.safeParse(each));
  const sound = parsed.find((each) => each?.success);
  return (sound && definition?.inFlight?.(sound.data)) ?? Number.POSITIVE_INFINITY;
}

function checkTransports(names: readonly string[], yaml: MergedYaml, found: Problem[]): void {
  names.forEach((name, index) => {
    const place = yaml.place(['transports', index]);
    if (lookFor(transports, name, 'transport', place, found) && names.indexOf(name) !== index)
      found.push({ place, found: `names "${name}" twice`, remedy: 'Remove one.' });
  });
}

function readSamples(raw: unknown, yaml: MergedYaml, found: Problem[], folder: string): SamplesChoice | undefined {
  if (raw === undefined) return undefined;
  const choice = (typeof raw === 'string' ? { name: raw } : raw) as {
    forPasses?: number;
    name?: string;
    directory?: string;
    count?: number;
    dims?: Record<string, number[]>;
  };
  const name = choice.name ?? (choice.directory ? 'npy' : 'random');
  lookFor(samples, name, 'sample library', yaml.place(['samples']), found);
  if (choice.directory !== undefined && !existsSync(resolve(folder, choice.directory)))
    found.push({
      place: yaml.place(['samples', 'directory']),
      found: `there is no folder ${resolve(folder, choice.directory)}`,
      allowed: 'a folder of samples, relative to this file',
    });
  return {
    name,
    directory: choice.directory === undefined ? undefined : resolve(folder, choice.directory),
    count: choice.count,
    dims: choice.dims,
    ...(choice.forPasses === undefined ? {} : { forPasses: choice.forPasses }),
  };
}

/** Each by its name, or with its options. A period below 10 ms would measure the monitor. */
function readMonitors(
  raw: readonly (string | { readonly name: string })[] | undefined,
  periodNs: number,
  yaml: MergedYaml,
  found: Problem[],
): readonly MonitorChoice[] | undefined {
  if (periodNs < 10e6)
    found.push({
      place: yaml.place(['monitorPeriod']),
      found: `${periodNs / 1e6} ms is too short`,
      allowed: 'at least 10ms',
    });
  return raw?.map((entry, index) => {
    const { name, ...options } = typeof entry === 'string' ? { name: entry } : entry;
    const choice = { name, options };
    try {
      checkMonitor(choice, yaml.place(['monitors', index]));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      found.push(...error.problems);
    }
    return choice;
  });
}

function readSeeds(
  raw: Readonly<Record<string, number | string | undefined>>,
  fallback: Seeds,
  yaml: MergedYaml,
  found: Problem[],
): Seeds {
  const read = (key: Exclude<keyof Seeds, 'library'>): string => given(key) ?? fallback[key];
  const given = (key: keyof Seeds): string | undefined => {
    const value = raw[key];
    if (value === undefined) return undefined;
    const unsafe = typeof value === 'number' && !Number.isSafeInteger(value);
    if (unsafe || BigInt(value) >= 2n ** 64n)
      found.push({
        place: yaml.place(['seeds', key]),
        found: `${value} is out of range`,
        allowed: 'a whole number below 2^64',
        remedy: unsafe ? 'Quote seeds above 2^53: "16159082839903944936".' : undefined,
      });
    return String(value);
  };
  const library = given('library') ?? fallback.library;
  return {
    ...{ schedule: read('schedule'), samples: read('samples'), order: read('order'), bootstrap: read('bootstrap') },
    ...(library === undefined ? {} : { library }),
  };
}

/** Validates options against a registered schema; `sweptKeys` are blamed on the sweep. */
function checkOptions(
  schema: z.ZodType,
  options: unknown,
  path: Path,
  yaml: MergedYaml,
  found: Problem[],
  sweptKeys: readonly string[] = [],
): boolean {
  const parsed = schema.safeParse(options, { reportInput: true });
  if (parsed.success) return true;
  const place = (at: Path, atKey?: boolean): string =>
    yaml.place(sweptKeys.includes(String(at[path.length])) ? [...path, 'sweep', ...at.slice(path.length)] : at, atKey);
  found.push(...problemsOf(parsed.error, path, place, schema, amongArrivalOptions));
  return false;
}

/** Who writes an option of an arrival process beside its name is told where it goes. */
function amongArrivalOptions(key: string, allowed: readonly string[]): string | undefined {
  if (!allowed.includes('arrivalOptions')) return undefined;
  const takers = arrivals.filter(({ options }) => keysOf(options).includes(key)).map(({ name }) => name);
  return takers.length === 0
    ? undefined
    : `It is an option of arrivals ${takers.join(', ')}: write arrivalOptions: { ${key}: … }.`;
}

/** Names head rows and name files. */
function checkName(name: string, kind: string, place: string, found: Problem[]): boolean {
  if (/^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/.test(name)) return true;
  found.push({
    place,
    found: `"${name}" can't name a ${kind}`,
    allowed: 'up to 40 letters, digits, "-" and "_", a letter or digit first',
  });
  return false;
}
