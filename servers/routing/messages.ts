import type { Problem } from '../../results/errors.js';
import type { GatewayCounts } from '../../results/gateway.js';
import type { GatewaySpec, ReplicaSpec } from './contract.js';

/** What the parent tells a gateway process. `n` comes back when it is done. */
export type ToGateway =
  | { readonly kind: 'start'; readonly spec: GatewaySpec }
  | { readonly kind: 'join'; readonly pool: string; readonly replica: ReplicaSpec; readonly n: number }
  | { readonly kind: 'leave'; readonly pool: string; readonly name: string; readonly n: number }
  | { readonly kind: 'counts'; readonly n: number }
  | { readonly kind: 'stop' };

export type FromGateway =
  | { readonly kind: 'ready'; readonly url: string; readonly grpc?: string | undefined; readonly pid: number }
  | { readonly kind: 'failed'; readonly error: string; readonly problems: readonly Problem[] | null }
  /** `counts` as of the moment. */
  | { readonly kind: 'done'; readonly n: number; readonly counts: GatewayCounts };
