import { type Dimension, pointAt, type Space, searchNamed, sizeOf, valuesOf } from '../../optimizers/search/index.js';
import { messageOf, type Problem, UserError } from '../../results/errors.js';
import { checked, keysOf, lookFor } from '../../results/lookup.js';
import { parseDuration, parseRate } from '../../results/units.js';
import type { ModelSpec } from '../../servers/models/index.js';
import { findStrategy } from '../../servers/strategies/index.js';
import type { LoadSpec, SystemSpec } from '../contract.js';
import { isRecord, type MergedYaml } from '../yaml.js';
import { OBJECTIVES } from './objectives.js';
import { tuneSchema } from './schema.js';
import type { Constraints, Objective, ObjectiveName, TuneSpec } from './spec.js';

/** More would be no search but a flood. */
const MAX_POINTS = 20_000;

/** What reading needs of the scenario around it. */
export interface TuneSurroundings {
  readonly yaml: MergedYaml;
  readonly systems: readonly SystemSpec[];
  readonly loads: readonly LoadSpec[];
  readonly transports: readonly string[];
  readonly found: Problem[];
  /** A system of these raw keys; its problems go to the list. */
  readSystem(name: string, raw: Readonly<Record<string, unknown>>, found: Problem[]): readonly SystemSpec[];
}

/** Reads `tune:`; undefined, with problems told, where it is wrong. Every point of the space is validated before anything runs. */
export function readTune(raw: unknown, around: TuneSurroundings): TuneSpec | undefined {
  const { yaml, found } = around;
  const place = (...path: string[]) => yaml.place(['tune', ...path]);
  let parsed: ReturnType<typeof tuneSchema.parse>;
  try {
    parsed = checked(tuneSchema, raw, place());
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    found.push(...error.problems);
    return undefined;
  }
  const author = lookFor(around.systems, parsed.system, 'system', place('system'), found);
  const load = lookFor(around.loads, parsed.load, 'load', place('load'), found);
  const transport = parsed.transport ?? around.transports[0]!;
  const search = readSearch(parsed.search, place('search'), found);
  const base = isRecord(yaml.value.systems) ? yaml.value.systems[parsed.system] : undefined;
  if (!author || !load || !search || !isRecord(base)) return undefined;
  const space = readSpace(parsed.space, place('space'), found);
  const systems = space ? readPoints(space, parsed.space, base, author, around, place('space')) : undefined;
  if (!space || !systems) return undefined;
  const objectives = [parsed.objective].flat().map(readObjective);
  if (parsed.evaluate !== 'real' && objectives.some(({ name }) => OBJECTIVES[name].realOnly))
    found.push({
      place: place('objective'),
      found: `${objectives.find(({ name }) => OBJECTIVES[name].realOnly)!.name} can't be simulated`,
      remedy: 'Set evaluate: real',
    });
  const { budget, evaluate: mode, confirm, repeats, seed } = parsed;
  return {
    ...{ author, space, systems, load, transport, objectives, search, budget, mode, confirm, repeats },
    constraints: readConstraints(parsed.constraints),
    seed: BigInt(seed),
  };
}

function readSearch(
  raw: string | { readonly name: string },
  place: string,
  found: Problem[],
): TuneSpec['search'] | undefined {
  const { name, ...options } = typeof raw === 'string' ? { name: raw } : raw;
  try {
    checked(searchNamed(name, place).options, options, place);
    return { name, options };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    found.push(...error.problems);
    return undefined;
  }
}

function readObjective(text: string): Objective {
  const [first, second] = text.split(' ') as [string, string | undefined];
  const name = (second ?? first) as ObjectiveName;
  return { name, direction: second ? (first as 'max' | 'min') : OBJECTIVES[name].better };
}

function readConstraints(raw: ReturnType<typeof tuneSchema.parse>['constraints']): Constraints {
  const { p50Latency, p99Latency, ...others } = raw;
  return { ...others, p50LatencyNs: p50Latency, p99LatencyNs: p99Latency };
}

type RawSpace = Readonly<Record<string, readonly (string | number | boolean)[] | Readonly<Record<string, unknown>>>>;

function readSpace(raw: RawSpace, place: string, found: Problem[]): Space | undefined {
  const dimensions = Object.entries(raw).map(([name, values]): Dimension => {
    const list = Array.isArray(values) ? (values as (string | number | boolean)[]) : Object.keys(values);
    return { name, values: list, ordered: name !== 'variant' && name !== 'strategy' && ascends(list) };
  });
  const size = sizeOf({ dimensions });
  if (dimensions.length > 0 && size > 1 && size <= MAX_POINTS) return { dimensions };
  found.push({
    place,
    found: `${size} configurations`,
    allowed: `2 to ${MAX_POINTS.toLocaleString('en-US')}`,
    remedy: size > 1 ? 'Name fewer values' : 'Name options and the values to try, like maxBatchSize: [1, 8, 32]',
  });
  return undefined;
}

/** Numbers, durations or rates that grow: neighbours are alike. */
function ascends(values: readonly (string | number | boolean)[]): boolean {
  const numbers = values.map((value) =>
    typeof value === 'number'
      ? value
      : typeof value === 'string'
        ? (parseDuration(value) ?? parseRate(value))
        : undefined,
  );
  return numbers.every((value, k) => value !== undefined && (k === 0 || numbers[k - 1]! < value));
}

/**
 * Every point as a system. An option that a point's strategy does not have is left out, if another strategy of the space has
 * it; points that then are alike stay, and the search sees them as such.
 */
function readPoints(
  space: Space,
  raw: RawSpace,
  base: Readonly<Record<string, unknown>>,
  author: SystemSpec,
  around: TuneSurroundings,
  place: string,
): (SystemSpec | undefined)[] | undefined {
  const before = around.found.length;
  const { variant } = raw;
  if (variant !== undefined && Array.isArray(variant)) {
    around.found.push({
      place: `${place}.variant`,
      found: 'is a list',
      allowed: 'names and their models: { fp32: fashion-mlp, int8: { path: ./int8.onnx } }',
    });
    return undefined;
  }
  const strategies = raw.strategy === undefined ? [author.strategy.name] : (raw.strategy as string[]);
  const known = new Set(strategies.flatMap((name) => [...optionsOf(name)]));
  const told = new Set<string>();
  const systems = Array.from({ length: sizeOf(space) }, (_, number) => {
    const values = valuesOf(space, pointAt(space, number));
    const problems: Problem[] = [];
    const [system] = around.readSystem(nameOf(author.name, values), rawSystem(base, values, variant, known), problems);
    for (const problem of problems) {
      const key = messageOf(new UserError(problem));
      if (!told.has(key)) around.found.push(problem);
      told.add(key);
    }
    return system && withThreads(system, values.threads);
  });
  return around.found.length > before ? undefined : systems;
}

function rawSystem(
  base: Readonly<Record<string, unknown>>,
  values: Readonly<Record<string, string | number | boolean>>,
  variants: RawSpace[string] | undefined,
  known: ReadonlySet<string>,
): Record<string, unknown> {
  const { threads: _, variant, ...options } = values;
  const { sweep: __, ...rest } = base;
  const all: Record<string, unknown> = { ...rest, ...options };
  if (variant !== undefined) all.model = (variants as Readonly<Record<string, unknown>>)[String(variant)];
  const own = optionsOf(String(all.strategy));
  return Object.fromEntries(Object.entries(all).filter(([key]) => own.has(key) || !known.has(key)));
}

function optionsOf(strategy: string): ReadonlySet<string> {
  const definition = findStrategy(strategy);
  return new Set(definition ? keysOf(definition.options) : []);
}

/** Threads of an instance are its runtime's business. */
function withThreads(system: SystemSpec, threads: string | number | boolean | undefined): SystemSpec {
  if (typeof threads !== 'number' || 'runtime' in system.model) return system;
  const options = { ...system.model.options, intraOpNumThreads: threads };
  return { ...system, model: { ...system.model, options } as ModelSpec };
}

function nameOf(base: string, values: Readonly<Record<string, string | number | boolean>>): string {
  return [base, ...Object.entries(values).map(([key, value]) => `${key}=${value}`)].join(' ');
}
