import { UNKNOWN } from '../../record.js';
import type { StoredRun } from '../../run.js';
import type { TrialSummary } from '../../summary.js';
import type { ViewInput } from '../contract.js';
import type { Group } from './groups.js';

/** Rules whose missing bars a system from being best: a faster wrong answer is no result. */
const RULES: readonly string[] = ['target-accuracy', 'target-relative-accuracy'];

export interface AccuracyMiss {
  readonly system: string;
  readonly transport: string;
  readonly message: string;
}

/** Systems whose judged answers miss a target of the scenario, by transport, in the order of their trials. */
export function accuracyMisses(run: StoredRun): readonly AccuracyMiss[] {
  return run.outcomes.flatMap((outcome) => {
    if (outcome.state !== 'completed') return [];
    const { trial, verdict } = outcome.summary;
    const finding = verdict.findings.find(({ rule, severity }) => severity === 'missed' && RULES.includes(rule));
    return finding ? [{ system: trial.system, transport: trial.transport, message: finding.message }] : [];
  });
}

/** The groups that may be best. */
export function eligible(groups: readonly Group[], misses: readonly AccuracyMiss[]): readonly Group[] {
  return groups.filter((group) => !isBarred(group, misses));
}

export function isBarred(
  { system, transport }: Pick<Group, 'system' | 'transport'>,
  misses: readonly AccuracyMiss[],
): boolean {
  return misses.some((miss) => miss.system === system && miss.transport === transport);
}

/** The accuracy trial of a system over a transport. */
export function accuracyTrial(run: StoredRun, system: string, transport: string): TrialSummary | undefined {
  for (const outcome of run.outcomes) {
    if (outcome.state !== 'completed') continue;
    const { trial } = outcome.summary;
    if (trial.loadType === 'accuracy' && trial.system === system && trial.transport === transport)
      return outcome.summary;
  }
  return undefined;
}

/** Sample → right, of a trial's judged answers; empty where none is right or wrong, or the records are gone. */
export function judgedSamples(input: ViewInput, trialId: string | undefined): ReadonlyMap<number, boolean> {
  const found = new Map<number, boolean>();
  const table = trialId === undefined ? undefined : input.records(trialId);
  for (let row = 0; table && row < table.length; row++)
    if (table.correct[row] !== UNKNOWN && table.warmUp[row] === 0)
      found.set(table.sampleIndex[row]!, table.correct[row] === 1);
  return found;
}

/** Sample → judgement by the trial's metric (1: right, 0: wrong, or a number); empty as above. */
export function judgements(input: ViewInput, trialId: string | undefined): ReadonlyMap<number, number> {
  const found = new Map<number, number>();
  const table = trialId === undefined ? undefined : input.records(trialId);
  for (let row = 0; table && row < table.length; row++) {
    if (table.warmUp[row] !== 0) continue;
    const judgement = table.correct[row] === UNKNOWN ? table.judgement[row]! : table.correct[row]!;
    if (!Number.isNaN(judgement)) found.set(table.sampleIndex[row]!, judgement);
  }
  return found;
}
