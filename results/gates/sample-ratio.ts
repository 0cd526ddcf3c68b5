import type { GatewaySummary } from '../gateway.js';
import { chiSquareTail } from '../stats/index.js';
import type { GateDefinition } from './contract.js';

/** Below this the split is not what was asked for. Source: Fabijan et al., "Diagnosing sample ratio mismatch", KDD 2019. */
const ALARM = 0.001;

/** An A/B split whose arms have not got the shares that they should have compares groups that differ before anything is done to them. */
export const sampleRatio: GateDefinition = {
  name: 'sample-ratio',
  summary: 'An A/B test’s arms got the shares that they should (chi-square, p ≥ 0.001)',
  check({ gateway }) {
    const arms = gateway && armsOf(gateway);
    if (!arms) return undefined;
    const total = arms.reduce((sum, { seen }) => sum + seen, 0);
    const expected = arms.map(({ share }) => share * total);
    // The approximation needs some of each.
    if (expected.some((count) => count < 5)) return undefined;
    const chiSquare = arms.reduce((sum, { seen }, i) => sum + (seen - expected[i]!) ** 2 / expected[i]!, 0);
    const p = chiSquareTail(chiSquare, arms.length - 1);
    if (p >= ALARM) return undefined;
    const text = arms.map(({ name, seen }, i) => `${name} ${seen} instead of ${Math.round(expected[i]!)}`).join(', ');
    return {
      severity: 'invalid',
      message: `The arms have not got their shares: ${text} ${arms[0]!.unit} (chi-square ${chiSquare.toFixed(1)}, p = ${p.toExponential(1)}).`,
      advice:
        'Do not compare the arms: find out who is missing first. Look for users who were counted twice, lost or retried in one arm only.',
    };
  },
};

/** Users where requests name them, for a user’s requests are not independent; else requests. */
function armsOf({ counts }: GatewaySummary) {
  const { basisPoints, fixed } = counts?.route ?? {};
  if (!counts || !basisPoints || !fixed) return undefined;
  const byUser = counts.pools.every(({ users }) => users !== null);
  return counts.pools.map(({ name, users, requests }) => ({
    name,
    seen: byUser ? users! : requests,
    share: (basisPoints[name] ?? 0) / 10_000,
    unit: byUser ? 'users' : 'requests',
  }));
}
