import { escapeXml } from '../formats/escape.js';
import type { GateFinding } from './judge.js';
import { type GateOutcome, sentenceOf } from './outcome.js';
import { factsOf } from './words.js';

/**
 * A gate as JUnit XML, which CI systems show as tests: one case a figure, failed where a regression is confirmed, in error where
 * nothing runs any more, skipped where it could not be judged. Format: the JUnit schema that Jenkins and GitLab read.
 */
export function junitXml(outcome: GateOutcome): string {
  const failed = outcome.confirmed.filter(({ state }) => state === 'regressed').length;
  const broken = outcome.confirmed.length - failed;
  const skipped = outcome.findings.filter(({ state }) => state === 'unjudged').length;
  const counts = `tests="${outcome.findings.length}" failures="${failed}" errors="${broken}" skipped="${skipped}"`;
  const name = escapeXml(`servemark gate ${outcome.scenario}`);
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="${name}" ${counts}>
<testsuite name="${escapeXml(outcome.scenario)}" ${counts}>
${outcome.findings.map((finding) => testCase(finding, outcome)).join('\n')}
<system-out>${escapeXml(sentenceOf(outcome))}</system-out>
</testsuite>
</testsuites>
`;
}

function testCase(finding: GateFinding, { confirmed }: GateOutcome): string {
  const place = [finding.system, finding.load, finding.transport].join('.');
  const head = `<testcase classname="${escapeXml(place)}" name="${finding.figure}"`;
  const text = escapeXml(factsOf(finding).join('; '));
  if (confirmed.includes(finding)) {
    const kind = finding.state === 'broken' ? 'error' : 'failure';
    return `${head}><${kind} message="${escapeXml(finding.text)}">${text}</${kind}></testcase>`;
  }
  if (finding.state === 'unjudged') return `${head}><skipped message="${escapeXml(finding.text)}"/></testcase>`;
  return `${head}><system-out>${text}</system-out></testcase>`;
}
