import type { Balancing } from '../servers/routing/index.js';
import type { ServerSpec } from '../servers/spec.js';
import type { SystemSpec } from './contract.js';

/** Replicas of a system, one entry each. */
export interface ReplicaChoice {
  readonly weight: number;
  /** Of this replica's model, beside the system's own options. */
  readonly model: Readonly<Record<string, unknown>>;
}

/** The gateway of a system with replicas. */
export interface GatewayChoice {
  readonly balancing: Balancing;
  readonly program: 'servemark' | 'nginx' | 'haproxy';
  readonly route: { readonly name: string; readonly options: Readonly<Record<string, unknown>> };
  /** The other pool of a route that has one. */
  readonly to?: SystemSpec | undefined;
  readonly seed: number;
}

/** An autoscaler over the primary pool. */
export interface AutoscalerChoice {
  readonly name: string;
  readonly intervalNs: number;
  readonly options: Readonly<Record<string, unknown>>;
}

/** What the n-th replica of a system is started from; beyond the list all are as the last one without overrides. */
export function replicaServer(base: ServerSpec, system: SystemSpec, n: number, replica: number): ServerSpec {
  const own = system.replicas?.[n]?.model ?? {};
  const options = { ...base.model.options, ...own };
  return { ...base, model: { ...base.model, options }, name: `${base.name}-${n}`, requestLog: undefined, replica };
}

/** Several servers behind a gateway: `servemark simulate --fleet` is for those. */
export function isFleet({ replicas, gateway, autoscaler }: SystemSpec): boolean {
  return replicas !== undefined || gateway !== undefined || autoscaler !== undefined;
}
