import { parse } from 'node:path';
import { type Problem, UserError } from '../results/errors.js';
import { lookFor, problemsOf } from '../results/lookup.js';
import { type FrontDefinition, fronts } from '../servers/fronts/index.js';
import type { ServedModelSpec, SharingModelSpec } from '../servers/spec.js';
import type { LoadSpec, SystemSpec } from './contract.js';
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
  ...['external', 'models', 'front', 'ensemble', 'replicas', 'gateway', 'autoscaler', 'sweep'],
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
): Pick<SystemSpec, 'others' | 'sharing'> {
  if (given === undefined) return {};
  const entries = Object.entries(given);
  const others = entries
    .filter(([, { shared }]) => !shared)
    .flatMap(([name, { shared: _, ...entry }]) => readEntry(name, entry, [...path, name], reader));
  const sharing = entries
    .filter(([, { shared }]) => shared)
    .flatMap(([name, entry]) => readShared(name, entry, [...path, name], reader));
  return { ...(others.length > 0 && { others }), ...(sharing.length > 0 && { sharing }) };
}

/** It has a model, and all else from its system. */
function readShared(name: string, entry: HostedEntry, path: Path, reader: Reader): SharingModelSpec[] {
  const { shared: _, model, ...own } = entry;
  reader.found.push(
    ...Object.keys(own).map((key) => ({
      place: reader.yaml.place([...path, key], true),
      found: `${key} is its system's where the instances are shared`,
      allowed: 'shared, model',
    })),
  );
  const system = reader.read(name, { strategy: 'serial', ...(model === undefined ? {} : { model }) }, path);
  return system === undefined ? [] : [{ model: system.model, modelName: name }];
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
export function modelsOf({ name, model, strategy, isolation, others = [], sharing = [] }: SystemSpec): readonly ({
  readonly name: string;
  /** It shares instances with another, and need not be cut as that is. */
  readonly shares?: boolean;
} & Pick<ServedModelSpec, 'model' | 'strategy' | 'isolation'>)[] {
  const shared = sharing.map((each) => ({
    name: each.modelName,
    model: each.model,
    strategy,
    isolation,
    shares: true,
  }));
  return [
    { name, model, strategy, isolation },
    ...shared,
    ...others.map((other) => ({ ...other, name: other.modelName! })),
  ];
}

/**
 * Loads whose kinds of requests name models that a system does not have. What stands before several models, or is not ours,
 * has names of its own and is left to its server.
 */
export function checkAskedModels(
  loads: readonly LoadSpec[],
  systems: readonly SystemSpec[],
  { yaml, found }: Pick<Reader, 'yaml' | 'found'>,
): void {
  const known = systems.flatMap((system) => {
    if (system.external || system.front || system.gateway) return [];
    const own = system.ensemble?.at === 'server' ? ['ensemble'] : [];
    return [
      {
        system: system.name,
        names: [
          ownName(system),
          ...modelsOf(system)
            .slice(1)
            .map(({ name }) => name),
          ...own,
        ],
      },
    ];
  });
  for (const { name, options } of loads)
    for (const key of ['mix', 'clients'] as const) {
      const kinds = options[key];
      if (!Array.isArray(kinds)) continue;
      for (const [i, { model }] of (kinds as readonly { readonly model?: string }[]).entries()) {
        const lacking = model === undefined ? undefined : known.find(({ names }) => !names.includes(model));
        if (lacking)
          found.push({
            place: yaml.place(['loads', name, key, i, 'model']),
            found: `system "${lacking.system}" has no model "${model}"`,
            allowed: lacking.names.join(', '),
          });
      }
    }
}

/** What its server calls the model that is its own. */
function ownName({ model }: SystemSpec): string {
  if ('zoo' in model) return model.zoo;
  return model.name ?? ('path' in model ? parse(model.path).name : model.runtime);
}

/** Refuses what virtual time has no models for. Throws UserError with all of them. */
export function checkOneModel(systems: readonly SystemSpec[], place: (system: SystemSpec) => string): void {
  const problems = systems
    .filter(({ others, front, ensemble }) => others !== undefined || front !== undefined || ensemble !== undefined)
    .map((system) => ({
      place: place(system),
      found: 'its server holds several models, and virtual time has one a server',
      remedy: 'Run it for real: servemark run',
    }));
  if (problems.length > 0) throw new UserError(problems);
}
