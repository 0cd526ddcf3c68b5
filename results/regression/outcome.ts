import type { DifferenceFound } from '../differences.js';
import type { GateFinding } from './judge.js';

/** What a gate came to: plain data, as `--json` prints it. */
export interface GateOutcome {
  readonly schema: 1;
  readonly scenario: string;
  /**
   * `first`: there was nothing to judge by; `unjudged`: too few VALID trials for any figure; `passed`; `unconfirmed`: regressions that a second run did not show; `unproven`:
   * regressions that no second run was made of; `regressed`: a second run shows them too.
   */
  readonly state: 'first' | 'unjudged' | 'passed' | 'unconfirmed' | 'unproven' | 'regressed';
  readonly run: string;
  /** The second run; null where none was needed or wanted. */
  readonly confirmRun: string | null;
  readonly baseline: string;
  readonly baselineRuns: number;
  /** Entries of the history that are no baseline, and why. */
  readonly excluded: readonly { readonly run: string; readonly why: string }[];
  readonly findings: readonly GateFinding[];
  /** Of `findings`: those that are confirmed. */
  readonly confirmed: readonly GateFinding[];
  /** Between the last baseline run, where its folder is still there, and this one. */
  readonly differences: readonly DifferenceFound[];
}

/** `serial · half · grpc · p99Latency`. */
export function placeOf({ system, load, transport, figure }: GateFinding): string {
  return [system, load, transport, figure].join(' · ');
}

/** One sentence. */
export function sentenceOf(outcome: GateOutcome): string {
  const { state, findings, confirmed, baselineRuns, baseline } = outcome;
  const bad = findings.filter((each) => each.state === 'regressed' || each.state === 'broken').length;
  const judged = findings.filter((each) => each.state !== 'unjudged').length;
  switch (state) {
    case 'first':
      return `Nothing to judge by: ${baseline} has no comparable run of this scenario yet. This run is its first.`;
    case 'unjudged':
      return `NOT JUDGED: too few VALID trials for any of the ${findings.length} figures. \`servemark report ${outcome.run}\` says why they are INVALID.`;
    case 'passed':
      return `No regression in ${judged} of ${findings.length} figures that could be judged, against ${counted(baselineRuns, 'run')}.`;
    case 'unconfirmed':
      return `No regression: ${counted(bad, 'figure')} looked worse than ${counted(baselineRuns, 'run')}, but a second run did not show it again.`;
    case 'unproven':
      return `${counted(bad, 'figure')} looked worse than ${counted(baselineRuns, 'run')}; no second run was made, so this is no verdict.`;
    case 'regressed':
      return `REGRESSION in ${counted(confirmed.length, 'figure')}, against ${counted(baselineRuns, 'run')}, confirmed by a second run.`;
  }
}

function counted(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
