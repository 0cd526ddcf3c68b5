import { z } from 'zod';
import { count, positive } from '../strategies/support/options.js';
import { defineController } from './contract.js';
import { Scaling, scalingShape } from './support/scaling.js';
import { answering, at } from './support/steps.js';

const options = z
  .strictObject({
    minReplicas: count().default(1),
    maxReplicas: positive().default(10),
    initialReplicas: count().default(1),
    ...scalingShape,
  })
  .refine(({ minReplicas, maxReplicas }) => minReplicas <= maxReplicas, {
    path: ['minReplicas'],
    error: 'must not exceed maxReplicas',
  });
type Options = z.output<typeof options>;

const target = z.number().positive();
const pod = z.object({ ready: z.boolean(), value: z.number().nullable() });
const metric = z.union([
  z.object({ average: z.number(), target, ready: count().optional() }),
  z.object({ total: z.number(), target }),
  z.object({ target, pods: z.array(pod) }),
]);
const sync = z.object({ at: at(), replicas: count().optional(), metrics: z.array(metric) });

type Metric = z.output<typeof metric>;
type Pods = Extract<Metric, { pods: unknown }>;

interface Answer {
  readonly wanted: number;
  readonly stabilized: number;
  readonly replicas: number;
}

/**
 * Scales so that usage meets a target, with a tolerance, careful guesses for pods without a value, stabilisation windows and
 * rate policies. One step is one sync. Source: Kubernetes' replica calculator and HPA behaviour.
 */
export const hpa = defineController({
  name: 'hpa',
  summary: 'Kubernetes horizontal pod autoscaler: replicas in proportion to usage over target',
  source: 'Kubernetes HPA',
  options,
  create(given) {
    const scaling = new Scaling(given, given);
    let last = given.initialReplicas;
    return answering('hpa', sync, (step) => {
      const current = step.replicas ?? last;
      const answer = outside(current, given) ?? recommend(scaling, current, step.metrics, step.at);
      scaling.changed(current, answer.replicas, step.at);
      last = answer.replicas;
      return answer;
    });
  },
});

/** Zero replicas stay, and a number outside the limits goes straight to the limit; neither is a recommendation. */
function outside(current: number, { minReplicas, maxReplicas }: Options): Answer | undefined {
  const all = (replicas: number) => ({ wanted: replicas, stabilized: replicas, replicas });
  if (current === 0) return all(0);
  if (current > maxReplicas) return all(maxReplicas);
  return current < minReplicas ? all(minReplicas) : undefined;
}

function recommend(scaling: Scaling, current: number, metrics: readonly Metric[], now: number): Answer {
  const values = metrics.map((each) => wantedBy(scaling, current, each)).filter((value) => value !== undefined);
  const wanted = values.length === 0 ? current : Math.max(...values);
  const stabilized = scaling.stabilize(current, wanted, now);
  return { wanted, stabilized, replicas: scaling.limit(current, stabilized, now) };
}

/** The replicas that one metric asks for, if it says anything. */
function wantedBy(scaling: Scaling, current: number, given: Metric): number | undefined {
  if ('pods' in given) return wantedByPods(scaling, current, given);
  if ('total' in given)
    return scaling.within(given.total / (given.target * current)) ? current : Math.ceil(given.total / given.target);
  const ratio = given.average / given.target;
  return scaling.within(ratio) ? current : Math.ceil(ratio * (given.ready ?? current));
}

/**
 * Pods that are ready but have no value count against the direction of the change: as using their target when it goes down,
 * nothing when it goes up; so do pods that are not ready yet when it goes up. A change that this reverses is dropped.
 */
function wantedByPods(scaling: Scaling, current: number, { target, pods }: Pods): number | undefined {
  const ready = pods.filter((each) => each.ready);
  const have = ready.map((each) => each.value).filter((value) => value !== null);
  const missing = ready.length - have.length;
  const unready = pods.length - ready.length;
  if (have.length === 0) return undefined;
  const ratio = wholeMean(have) / target;
  if (missing === 0 && (unready === 0 || ratio <= 1))
    return scaling.within(ratio) ? current : Math.ceil(ratio * have.length);
  const values = [
    ...have,
    ...new Array<number>(missing).fill(ratio < 1 ? target : 0),
    ...new Array<number>(ratio > 1 ? unready : 0).fill(0),
  ];
  const careful = wholeMean(values) / target;
  const reversed = (ratio < 1 && careful > 1) || (careful < 1 && ratio > 1);
  if (scaling.within(careful) || reversed) return current;
  const wanted = Math.ceil(careful * values.length);
  return (careful < 1 && wanted > current) || (careful > 1 && wanted < current) ? current : wanted;
}

function wholeMean(values: readonly number[]): number {
  return Math.trunc(values.reduce((sum, value) => sum + value, 0) / values.length);
}
