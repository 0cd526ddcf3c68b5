import { z } from 'zod';
import type { RouteStatus } from '../../../results/gateway.js';
import { duration } from '../../../results/units.js';
import { createController } from '../../controllers/index.js';
import { count } from '../../strategies/support/options.js';
import { defineRoute } from '../contract.js';

/** Those of the controller `route-canary`; the time starts with the gateway. */
const options = z.strictObject({
  experiment: z.string().default('canary'),
  ramp: z.array(count().max(10_000)).min(1).default([100, 1000, 5000, 10_000]),
  stepTime: duration().default(60e9),
  minSamples: count().default(20),
  maxErrorBasisPoints: count().max(10_000).default(100),
  maxLatency: duration().default(0),
});

interface Step {
  readonly state: string;
  readonly stage: number;
  readonly basisPoints: number;
}

/** A growing share to the other pool, for as long as it does not err: the controller `route-canary`, told how real requests went. */
export const canary = defineRoute({
  name: 'canary',
  summary: 'Canary: a growing share to the other pool; errors or a slow p99 take it back for good',
  source: 'progressive delivery as in Argo Rollouts and Flagger, as the controller route-canary',
  needsOther: true,
  options,
  create(given, [primary, other]) {
    const controller = createController('route-canary', { ...given, start: 0 });
    const changes: RouteStatus['changes'][number][] = [];
    let last: Step = { state: 'ramping', stage: 0, basisPoints: given.ramp[0]! };
    let results = 0;
    let failures = 0;
    return {
      choose(user, at) {
        const { arm } = controller.step({ op: 'route', at, user }) as { readonly arm: string };
        return { pool: arm === 'canary' ? other! : primary! };
      },
      result(pool, ok, latencyNs, at) {
        if (pool !== other) return;
        results++;
        if (!ok) failures++;
        const now = controller.step({ op: 'result', at, arm: 'canary', ok, latencyNs }) as Step;
        if (now.state !== last.state || now.stage !== last.stage)
          changes.push({ atNs: at, text: told(now, results, failures) });
        last = now;
      },
      status: () => ({
        state: last.state,
        basisPoints: { [primary!]: 10_000 - last.basisPoints, [other!]: last.basisPoints },
        changes,
      }),
    };
  },
});

function told({ state, stage, basisPoints }: Step, results: number, failures: number): string {
  const seen = `after ${results} of its requests, ${failures} failed`;
  if (state === 'rolled-back') return `rolled back in stage ${stage}, ${seen}`;
  return state === 'done' ? `all traffic, ${seen}` : `stage ${stage}: ${basisPoints / 100} % of the traffic, ${seen}`;
}
