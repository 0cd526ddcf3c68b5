import { accuracyMetricNamed } from '../accuracy/index.js';
import { percentile, percentileFloor } from '../stats/index.js';
import { formatDuration, significant } from '../units.js';
import type { GateDefinition, GateFinding, GateInput } from './contract.js';
import { percent } from './text.js';

/** A missed target is an answer, not a fault of the measurement: the trial stays VALID. */
export const latencyTarget: GateDefinition = {
  name: 'target-latency',
  summary: 'p99 latency within the scenario’s target',
  check({ load, targets, trial, window }) {
    const target = targets.p99LatencyNs;
    const sorted = window.sortedLatencyNs;
    // A bound of the load's own is judged as its constraint; offline's waiting is no latency that a user has.
    if (target === undefined || load.latencyBoundNs !== null || load.latenessExpected || isAuxiliary(trial))
      return undefined;
    if (sorted.length < percentileFloor(0.99)) return undefined;
    const seen = percentile(sorted, 0.99);
    if (seen <= target) return undefined;
    return {
      severity: 'missed',
      message: `p99 latency ${formatDuration(seen)} exceeds the target of ${formatDuration(target)} by ${percent(seen / target - 1)}.`,
      advice: load.scheduled
        ? 'Lower the rate, or choose another system.'
        : 'Lower the concurrency, or choose another system.',
    };
  },
};

export const accuracyTarget: GateDefinition = {
  name: 'target-accuracy',
  summary: 'accuracy, measured in the same trial, reaches the scenario’s target',
  check({ accuracy, targets }): GateFinding | undefined {
    if (targets.accuracy === undefined || accuracy === null) return undefined;
    const { interval, metric, value } = accuracy;
    const { lowerIsBetter } = accuracyMetricNamed(metric);
    if (lowerIsBetter ? value <= targets.accuracy : value >= targets.accuracy) return undefined;
    const text = (figure: number) => (lowerIsBetter ? significant(figure) : percent(figure));
    return {
      severity: 'missed',
      message: `${metric} ${text(value)} (95 % interval ${text(interval.low)} to ${text(interval.high)}) is ${lowerIsBetter ? 'above' : 'below'} the target of ${text(targets.accuracy)}.`,
      advice: 'Use a more exact variant of the model; a faster wrong answer is no result.',
    };
  },
};

/** MLPerf's rule for changed models: 99 % (or 99.9 %) of the reference's accuracy, by the point estimates over all samples. */
export const relativeAccuracyTarget: GateDefinition = {
  name: 'target-relative-accuracy',
  summary: 'accuracy reaches the share of the reference system’s that the scenario asks for',
  check({ accuracy, targets }): GateFinding | undefined {
    const target = targets.relativeAccuracy;
    if (target === undefined || accuracy === null) return undefined;
    const { share, system, reference } = target;
    if (reference === null || reference === undefined)
      return {
        severity: 'warning',
        message: `${accuracy.metric} ${percent(accuracy.value)} can't be held against ${system}, whose accuracy was not measured.`,
        advice: `See why the accuracy trial of ${system} did not end.`,
      };
    // An error may be larger by as much as a share may be smaller.
    const { lowerIsBetter } = accuracyMetricNamed(accuracy.metric);
    if (lowerIsBetter ? share * accuracy.value <= reference : accuracy.value >= share * reference) return undefined;
    return {
      severity: 'missed',
      message: `${accuracy.metric} ${percent(accuracy.value)} is ${percent(accuracy.value / reference)} of ${system}’s ${percent(reference)}; the target is ${percent(share)} of it.`,
      advice: 'Use a more exact variant of the model; a faster wrong answer is no result.',
    };
  },
};

function isAuxiliary(trial: GateInput['trial']): boolean {
  return trial.loadType === 'probe' || trial.loadType === 'accuracy';
}
