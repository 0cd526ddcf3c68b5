import { percentile } from '../stats/index.js';
import { fixed, general, whole } from './numbers.js';
import { outcomeOf, PRINTED } from './outcome.js';
import type { Performance } from './performance.js';
import { type MlperfTrial, parameterLines } from './settings.js';

/** `mlperf_log_summary.txt`. Of an accuracy trial (no `performance`) LoadGen writes the count of errors only. */
export function summaryLog(trial: MlperfTrial, performance: Performance | undefined): string {
  const errors = performance ? outcomeOf(trial, performance).errors.length : 0;
  const body = performance
    ? [...resultLines(trial, performance), ...statLines(trial, performance), ...usedLines(trial)]
    : [];
  return [
    ...body,
    '\nNo warnings encountered during test.',
    errors === 0 ? '\nNo errors encountered during test.' : `\n${errors} ERROR encountered. See detailed log.`,
    '',
  ].join('\n');
}

function resultLines(trial: MlperfTrial, performance: Performance): string[] {
  const { settings } = trial;
  const { rules } = performance;
  const { valid, reasons } = outcomeOf(trial, performance);
  return [
    ...heading('MLPerf Results Summary'),
    `SUT name : ${trial.sutName}`,
    `Scenario : ${settings.scenario}`,
    `Mode     : ${settings.mode}`,
    headline(trial, performance),
    `Result is : ${valid ? 'VALID' : 'INVALID'}`,
    ...(settings.scenario === 'Server' ? [`  Performance constraints satisfied : ${yes(rules.constraint)}`] : []),
    `  Min duration satisfied : ${yes(rules.minDuration)}`,
    `  Min queries satisfied : ${yes(rules.minQueries)}`,
    `  Early stopping satisfied: ${yes(rules.earlyStopping)}`,
    ...(valid ? [] : ['Recommendations:', ...reasons.map((reason) => ` * ${reason}`)]),
    ...(settings.scenario === 'Offline' ? [] : ['Early Stopping Result:', rules.earlyStoppingText]),
  ];
}

function headline({ settings }: MlperfTrial, performance: Performance): string {
  const { targetPercentile: p, scenario } = settings;
  const latency = `${fixed(p * 100, 1)}th percentile latency (ns) : `;
  switch (scenario) {
    case 'SingleStream':
      return latency + whole(percentile(performance.sampleNs, p));
    case 'MultiStream':
      return latency + whole(percentile(performance.queryNs, p));
    case 'Server':
      return `Completed samples per second    : ${fixed(rate(performance.sampleCount - 1, performance.lastDoneNs), 2)}`;
    case 'Offline':
      return `Samples per second: ${general(rate(performance.sampleCount, performance.sampleNs.at(-1) ?? 0))}`;
  }
}

function statLines({ settings }: MlperfTrial, performance: Performance): string[] {
  const { sampleCount, lastIssuedNs, lastScheduledNs, meanSampleNs, meanQueryNs } = performance;
  const perQuery = settings.scenario === 'MultiStream';
  const rates = {
    SingleStream: [
      `QPS w/ loadgen overhead         : ${fixed(rate(sampleCount - 1, lastIssuedNs), 2)}`,
      `QPS w/o loadgen overhead        : ${fixed(1e9 / meanSampleNs, 2)}`,
      '',
    ],
    Server: [`Scheduled samples per second : ${fixed(rate(sampleCount - 1, lastScheduledNs), 2)}`],
    MultiStream: ['Per-query latency:  '],
    Offline: [],
  }[settings.scenario];
  return [
    '',
    ...heading('Additional Stats'),
    ...rates,
    ...latencyLines(perQuery ? performance.queryNs : performance.sampleNs, perQuery ? meanQueryNs : meanSampleNs),
  ];
}

function latencyLines(sorted: Float64Array, meanNs: number): string[] {
  return [
    `Min latency (ns)                : ${whole(sorted[0] ?? Number.NaN)}`,
    `Max latency (ns)                : ${whole(sorted.at(-1) ?? Number.NaN)}`,
    `Mean latency (ns)               : ${whole(meanNs)}`,
    ...PRINTED.map(({ p, name }) => `${name} percentile latency (ns)   : ${whole(percentile(sorted, p))}`),
  ];
}

function usedLines({ settings }: MlperfTrial): string[] {
  return ['', ...heading('Test Parameters Used'), ...parameterLines(settings)];
}

function heading(title: string): string[] {
  const rule = '='.repeat(48);
  return [rule, title, rule];
}

function yes(holds: boolean): string {
  return holds ? 'Yes' : 'NO';
}

/** Per second, over ns. */
export function rate(count: number, ns: number): number {
  return (count / ns) * 1e9;
}
