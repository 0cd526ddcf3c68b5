import type { RepositoryConfig } from './config.js';

/** Which versions of those that are there are wanted; ascending. Source: Triton and TF Serving version policies. */
export function wantedVersions(present: readonly string[], policy: RepositoryConfig['version_policy']): string[] {
  const ascending = [...present].sort((a, b) => Number(a) - Number(b));
  if ('all' in policy) return ascending;
  if ('specific' in policy) return ascending.filter((version) => policy.specific.versions.includes(Number(version)));
  return policy.latest.num_versions === 0 ? [] : ascending.slice(-policy.latest.num_versions);
}

/** A version on its way: `failed` would not load. */
export interface VersionState {
  readonly version: string;
  readonly wanted: boolean;
  readonly state: 'new' | 'loading' | 'ready' | 'unloading' | 'failed';
}

export type SwapPolicy = 'availability' | 'resource';

export type SwapAction<Version> = { readonly kind: 'load' | 'unload'; readonly version: Version };

/**
 * What is to be done next to come from what is loaded to what is wanted; undefined: nothing now. `availability` loads a wanted
 * version before the last unwanted one goes, `resource` unloads first. Source: TF Serving, AvailabilityPreservingPolicy and
 * ResourcePreservingPolicy.
 */
export function nextSwap<Version extends VersionState>(
  versions: readonly Version[],
  policy: SwapPolicy,
): SwapAction<Version> | undefined {
  const unwanted = versions.filter(({ wanted }) => !wanted);
  const leaving = unwanted.filter(({ state }) => state === 'ready').sort(byVersion);
  const wanted = versions.filter((each) => each.wanted);
  const mayUnload =
    policy === 'resource' || wanted.length === 0 || wanted.some(({ state }) => state === 'ready') || leaving.length > 1;
  if (leaving.length > 0 && mayUnload) return { kind: 'unload', version: leaving[0]! };
  // Still on its way out: what it holds is not free yet.
  if (policy === 'resource' && unwanted.some(({ state }) => state === 'loading' || state === 'unloading'))
    return undefined;
  const next = wanted.filter(({ state }) => state === 'new').sort(byVersion);
  return next.length > 0 ? { kind: 'load', version: next.at(-1)! } : undefined;
}

function byVersion(a: VersionState, b: VersionState): number {
  return Number(a.version) - Number(b.version);
}
