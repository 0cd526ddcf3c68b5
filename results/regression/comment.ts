import { escapeMarkdown as cell } from '../formats/escape.js';
import type { GateFinding } from './judge.js';
import { type GateOutcome, placeOf, sentenceOf } from './outcome.js';
import { percent, quantileText } from './words.js';

const MARKS = { regressed: '🔴', broken: '🔴', improved: '🟢', level: '⚪', unjudged: '❔' } as const;

/** A gate as a Markdown comment for a pull request: the sentence, what moved, and the rest folded away. */
export function markdownComment(outcome: GateOutcome): string {
  const { findings, excluded, differences, scenario } = outcome;
  const moved = findings.filter(({ state }) => state !== 'level' && state !== 'unjudged');
  return [
    `### servemark gate: ${cell(scenario)}`,
    '',
    `${outcome.state === 'regressed' ? '❌' : '✅'} ${sentenceOf(outcome)}`,
    ...(moved.length > 0 ? ['', table(moved, outcome)] : []),
    ...moved.flatMap(shiftLine),
    ...folded(`All ${findings.length} figures`, table(findings, outcome)),
    ...(excluded.length > 0
      ? folded('No baseline', excluded.map(({ run, why }) => `- ${cell(run)}: ${cell(why)}`).join('\n'))
      : []),
    ...(differences.length > 0
      ? folded(
          'What else differs from the last baseline run',
          differences.map(({ what, before, after }) => `- ${cell(what)}: ${cell(before)} → ${cell(after)}`).join('\n'),
        )
      : []),
    '',
  ].join('\n');
}

function table(findings: readonly GateFinding[], { confirmed }: GateOutcome): string {
  const rows = findings.map((each) => {
    const { ratio, interval, noiseFloor, adjustedP } = each;
    return [
      MARKS[each.state],
      cell(placeOf(each)),
      ratio?.toFixed(3) ?? '–',
      interval ? `${interval.low.toFixed(3)}–${interval.high.toFixed(3)}` : '–',
      noiseFloor === null ? '–' : percent(noiseFloor),
      adjustedP?.toPrecision(2) ?? '–',
      `${cell(each.text)}${confirmed.includes(each) ? ', **confirmed**' : ''}`,
    ];
  });
  const head = ['', 'figure', 'ratio', '95 % interval', 'noise', 'adjusted p', ''];
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function shiftLine(finding: GateFinding): string[] {
  if (!finding.quantiles) return [];
  return [
    '',
    `${cell(placeOf(finding))}, by quantile (band over all of them): ${finding.quantiles.map(quantileText).join(', ')}`,
  ];
}

function folded(title: string, body: string): string[] {
  return ['', '<details>', `<summary>${title}</summary>`, '', body, '', '</details>'];
}
