import type { GateFinding } from './judge.js';

/** What a finding rests on, as short facts. */
export function factsOf(finding: GateFinding): string[] {
  const { ratio, interval, adjustedP, noiseFloor, trials, baselineTrials, baselineRuns, quantiles } = finding;
  return [
    finding.text,
    ...(ratio === null ? [] : [`ratio ${ratio.toFixed(3)}`]),
    ...(interval ? [`95 % interval ${interval.low.toFixed(3)}–${interval.high.toFixed(3)}`] : []),
    ...(adjustedP === null ? [] : [`adjusted p ${adjustedP.toPrecision(2)}`]),
    noiseFloor === null ? 'noise between runs unknown' : `noise between runs ${percent(noiseFloor)}`,
    `${trials} trials against ${baselineTrials} of ${baselineRuns} runs`,
    ...(quantiles ? [`quantiles ${quantiles.map(quantileText).join(', ')}`] : []),
  ];
}

/** `p99 ×1.12 (1.05–1.20)`: of the simultaneous band. */
export function quantileText({ p, ratio, band }: NonNullable<GateFinding['quantiles']>[number]): string {
  return `p${Math.round(p * 100)} ×${ratio.toFixed(2)} (${band.low.toFixed(2)}–${band.high.toFixed(2)})`;
}

/** 1.123 → `12.3 %`. */
export function percent(factor: number): string {
  return `${((factor - 1) * 100).toFixed(1)} %`;
}
