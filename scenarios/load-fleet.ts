import type { z } from 'zod';
import type { Problem } from '../results/errors.js';
import { problemsOf, unknownName } from '../results/lookup.js';
import type { ModelSpec } from '../servers/models/index.js';
import { AUTOSCALERS, autoscalerOptions } from '../servers/routing/autoscale.js';
import { routes } from '../servers/routing/index.js';
import { runtimes } from '../servers/runtimes/index.js';
import type { SystemSpec } from './contract.js';
import type { AutoscalerChoice, GatewayChoice, ReplicaChoice } from './gateway-system.js';
import { gatewaySchema, type systemSchema } from './schema.js';
import type { MergedYaml } from './yaml.js';

type Path = readonly (string | number)[];
type Common = z.output<typeof systemSchema>;
type Fleet = Pick<SystemSpec, 'replicas' | 'gateway' | 'autoscaler'>;

interface Reader {
  readonly yaml: MergedYaml;
  readonly found: Problem[];
  readOther(to: unknown): SystemSpec | undefined;
}

/** `replicas`, `gateway` and `autoscaler` of a system; nothing where it is one server that is asked directly. */
export function readFleet(common: Common, model: ModelSpec | undefined, path: Path, reader: Reader): Fleet {
  const { replicas, gateway, autoscaler } = common;
  if (replicas === undefined && gateway === undefined && autoscaler === undefined) return {};
  return {
    replicas: readReplicas(replicas ?? 1, model, [...path, 'replicas'], reader),
    gateway: readGateway(gateway ?? gatewaySchema.parse({}), path, autoscaler !== undefined, reader),
    autoscaler: autoscaler && readAutoscaler(autoscaler, [...path, 'autoscaler'], reader),
  };
}

/** What stands in a system's one line. */
export function fleetSummary({ replicas, gateway, autoscaler }: Fleet): string {
  if (!replicas || !gateway) return '';
  const { balancing, program, route } = gateway;
  const many = autoscaler ? `${replicas.length} replicas at first` : `${replicas.length} replicas`;
  const parts = [program === 'servemark' ? many : `${many} behind ${program}`, balancing.algorithm];
  if (balancing.level === 'connection') parts.push('by connection');
  if (route.name !== 'all') parts.push(route.name);
  if (autoscaler) parts.push(autoscaler.name);
  return `, ${parts.join(', ')}`;
}

function readReplicas(
  given: NonNullable<Common['replicas']>,
  model: ModelSpec | undefined,
  path: Path,
  { yaml, found }: Reader,
): ReplicaChoice[] {
  const list = typeof given === 'number' ? Array.from({ length: given }, () => ({ weight: 1, model: {} })) : given;
  list.forEach((replica, n) => {
    const own = Object.keys(replica.model);
    if (own.length === 0 || !model) return;
    const runtime = runtimes.find(({ name }) => name === ('runtime' in model ? model.runtime : 'onnx'));
    const parsed = runtime?.options.safeParse({ ...model.options, ...replica.model }, { reportInput: true });
    if (parsed?.error) found.push(...problemsOf(parsed.error, [...path, n, 'model'], yaml.place, runtime!.options));
  });
  return list;
}

function readGateway(
  given: NonNullable<Common['gateway']>,
  path: Path,
  scales: boolean,
  { yaml, found, readOther }: Reader,
): GatewayChoice | undefined {
  const { program, seed, route, ...balancing } = given;
  const at = [...path, 'gateway', 'route'];
  const { name, to, ...options } =
    typeof route === 'string' ? { name: route } : (route as { name: string; to?: unknown });
  const definition = routes.find((each) => each.name === name);
  if (!definition) {
    found.push(unknownName(yaml.place(at), 'route', name, routes));
    return undefined;
  }
  const parsed = definition.options.safeParse(options, { reportInput: true });
  if (parsed.error) found.push(...problemsOf(parsed.error, at, yaml.place, definition.options));
  if (definition.needsOther !== (to !== undefined))
    found.push({
      place: yaml.place(at),
      found: definition.needsOther ? `${name} needs another system beside this one` : `${name} has no other system`,
      allowed: definition.needsOther ? `{ name: ${name}, to: SYSTEM, … }` : `without to`,
    });
  if (
    program !== 'servemark' &&
    (name !== 'all' || scales || balancing.algorithm === 'random-two' || balancing.level !== 'request')
  )
    found.push({
      place: yaml.place([...path, 'gateway', 'program']),
      found: `${program} stands in for the built-in gateway where it balances requests over replicas that stay`,
      allowed: 'route all, level request, no autoscaler, any algorithm but random-two',
      remedy: 'Leave program out',
    });
  const other = definition.needsOther && to !== undefined ? readOther(to) : undefined;
  return { balancing, program, seed, route: { name, options }, to: other };
}

function readAutoscaler(
  { name, interval, ...options }: NonNullable<Common['autoscaler']>,
  path: Path,
  { yaml, found }: Reader,
): AutoscalerChoice | undefined {
  const schema = autoscalerOptions(name);
  if (!schema) {
    found.push(unknownName(yaml.place([...path, 'name']), 'autoscaler', name, AUTOSCALERS));
    return undefined;
  }
  const parsed = schema.safeParse(options, { reportInput: true });
  if (parsed.error) found.push(...problemsOf(parsed.error, path, yaml.place, schema));
  return { name, intervalNs: interval, options };
}
