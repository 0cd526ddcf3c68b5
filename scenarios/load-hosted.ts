import { type Problem, UserError } from '../results/errors.js';
import { lookFor, problemsOf } from '../results/lookup.js';
import { type FrontDefinition, fronts } from '../servers/fronts/index.js';
import type { ServedModelSpec } from '../servers/spec.js';
import type { SystemSpec } from './contract.js';
import type { HostedEntry } from './schema.js';
import type { MergedYaml } from './yaml.js';

type Path = readonly (string | number)[];

interface Reader {
  readonly yaml: MergedYaml;
  readonly found: Problem[];
  /** As a system of its own: strategy, options, instances, model. */
  read(name: string, raw: Readonly<Record<string, unknown>>, path: Path): SystemSpec | undefined;
}

/** `front` of a system: a controller before its models. */
export function readFront(
  given: { readonly name: string } | undefined,
  path: Path,
  { yaml, found }: Pick<Reader, 'yaml' | 'found'>,
): Pick<SystemSpec, 'front'> {
  if (given === undefined) return {};
  const { name, ...options } = given;
  const definition = lookFor<FrontDefinition>(fronts, name, 'front', yaml.place([...path, 'name']), found);
  const parsed = definition?.options.safeParse(options, { reportInput: true });
  if (parsed?.error) found.push(...problemsOf(parsed.error, path, yaml.place, definition!.options));
  return { front: { name, options } };
}

/** Keys of a system that one of its server's models can't have. */
const OF_SERVERS = [
  ...['external', 'models', 'front', 'replicas', 'gateway', 'autoscaler', 'sweep'],
  ...['serverCpus', 'loadCpus', 'requestLog'],
];

/**
 * `models` of a system: further models in the same server, named by their keys. An entry with `copies: 3` is three models,
 * `name-1` to `name-3`; generated nets (dense) get a seed each, so that they are three files.
 */
export function readHosted(
  given: Readonly<Record<string, HostedEntry>> | undefined,
  path: Path,
  reader: Reader,
): Pick<SystemSpec, 'others'> {
  if (given === undefined) return {};
  const others = Object.entries(given).flatMap(([name, entry]) => readEntry(name, entry, [...path, name], reader));
  return { others };
}

function readEntry(name: string, entry: HostedEntry, path: Path, reader: Reader): ServedModelSpec[] {
  const { copies, ...raw } = entry;
  const wrong = OF_SERVERS.filter((key) => Object.hasOwn(raw, key));
  reader.found.push(
    ...wrong.map((key) => ({
      place: reader.yaml.place([...path, key], true),
      found: `${key} belongs to the server, not to one of its models`,
      allowed: 'strategy and its options, model, instances, isolation, copies',
    })),
  );
  if (wrong.length > 0) return [];
  return Array.from({ length: copies ?? 1 }, (_, i) => {
    const own = copies === undefined ? raw : { ...raw, model: nthModel(raw.model, i) };
    const system = reader.read(name, own, path);
    return system === undefined ? [] : [servedModel(system, copies === undefined ? name : `${name}-${i + 1}`)];
  }).flat();
}

/** Of generated nets the n-th has the seed + n. */
function nthModel(model: unknown, n: number): unknown {
  const dense = (model as { readonly dense?: { readonly seed?: number } } | undefined)?.dense;
  if (dense === undefined) return model;
  return { ...(model as object), dense: { ...dense, seed: (dense.seed ?? 1) + n } };
}

function servedModel({ model, strategy, instances, isolation }: SystemSpec, modelName: string): ServedModelSpec {
  return { model, modelName, strategy, instances, isolation };
}

/** All models of the systems: each system's own, then what its server holds besides. */
export function modelsOf({ name, model, strategy, others = [] }: SystemSpec): readonly {
  readonly name: string;
  readonly model: ServedModelSpec['model'];
  readonly strategy: ServedModelSpec['strategy'];
}[] {
  return [{ name, model, strategy }, ...others.map((other) => ({ ...other, name: other.modelName! }))];
}

/** Refuses what virtual time has no models for. Throws UserError with all of them. */
export function checkOneModel(systems: readonly SystemSpec[], place: (system: SystemSpec) => string): void {
  const problems = systems
    .filter(({ others, front }) => others !== undefined || front !== undefined)
    .map((system) => ({
      place: place(system),
      found: 'its server holds several models, and virtual time has one a server',
      remedy: 'Run it for real: servemark run',
    }));
  if (problems.length > 0) throw new UserError(problems);
}
