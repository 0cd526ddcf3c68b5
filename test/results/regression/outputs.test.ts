import { describe, expect, it } from 'vitest';
import { renderSvg } from '../../../results/formats/chart.js';
import {
  confirmed,
  type GateOutcome,
  historyReport,
  judgeRun,
  junitXml,
  markdownComment,
  segmentRows,
} from '../../../results/regression/index.js';
import { fakeHistory, fakeNight } from '../../fakes/history.js';

const history = fakeHistory(10, 7n);
const findings = judgeRun(fakeNight({ night: 11, factor: 1.2 }, 7n), history, { seed: 4n, minShift: 0.02 });
const outcome: GateOutcome = {
  schema: 1,
  scenario: 'a <b> & "c"',
  state: 'regressed',
  run: '/runs/11',
  confirmRun: '/runs/12',
  baseline: 'results/history/nightly',
  baselineRuns: 10,
  excluded: [{ run: '/runs/0', why: 'another machine' }],
  findings,
  confirmed: confirmed(findings, findings),
  differences: [{ what: 'node', before: 'v20', after: 'v22', kind: 'machine' }],
};

describe('a gate', () => {
  it('is JUnit XML: one case a figure, failures where they are confirmed, every name escaped', () => {
    const xml = junitXml(outcome);
    const bad = outcome.confirmed.length;
    expect(xml).toContain(`tests="4" failures="${bad}" errors="0" skipped="0"`);
    expect(xml.match(/<testcase /g)).toHaveLength(4);
    expect(xml.match(/<failure /g)).toHaveLength(bad);
    expect(xml).toContain('<testsuite name="a &lt;b&gt; &amp; &quot;c&quot;"');
    expect(xml).toMatch(/classname="serial\.alone\.grpc" name="p50Latency"><failure message="\+\d+\.\d %">/);
    // Every tag that opens closes.
    const tags = [...xml.replace(/<\?.*?\?>/, '').matchAll(/<(\/?)(\w[\w-]*)[^>]*?(\/?)>/g)];
    const open: string[] = [];
    for (const [, closing, name, alone] of tags) {
      if (closing) expect(open.pop()).toBe(name);
      else if (!alone) open.push(name!);
    }
    expect(open).toEqual([]);
  });

  it('is in error where nothing runs any more, and skipped where nothing can be judged', () => {
    const broken = { ...findings[0]!, state: 'broken' as const };
    const unjudged = { ...findings[1]!, state: 'unjudged' as const };
    const xml = junitXml({ ...outcome, findings: [broken, unjudged], confirmed: [broken] });
    expect(xml).toContain('tests="2" failures="0" errors="1" skipped="1"');
    expect(xml).toMatch(/<error message=.*\n.*<skipped message=/);
  });

  it('is a Markdown comment: the sentence, what moved, by which quantiles, what else differs', () => {
    const text = markdownComment(outcome);
    expect(text).toContain('❌ REGRESSION in');
    expect(text).toMatch(/\| 🔴 \| serial · alone · grpc · p50Latency \| 1\.\d+ \|/);
    expect(text).toMatch(/by quantile \(band over all of them\): p10 ×1\.\d\d \(/);
    expect(text).toContain('- node: v20 → v22');
    expect(text).toContain('- /runs/0: another machine');
    expect(text).not.toContain('<b>');
  });
});

describe('the page of a history', () => {
  const changed = fakeHistory(18, 5n, (night) => (night < 10 ? 1 : 0.8));

  it('has the levels of every figure, with what changed and since when', () => {
    const p50 = segmentRows(changed, 1n).find(({ figure }) => figure === 'p50Latency')!;
    expect(p50).toMatchObject({ runs: 18, segments: 2, since: '2026-01-11' });
    expect(p50.change!).toBeCloseTo(-0.2, 1);
  });

  it('draws every figure of every cell: dots, medians, a line a segment, a rule at the change', async () => {
    const { sections } = historyReport('nightly', changed, 1n);
    const charts = sections.flatMap(({ blocks }) => blocks.filter((block) => block.kind === 'chart'));
    expect(charts).toHaveLength(4);
    const p50 = charts.find(({ caption }) => caption.startsWith('p50'))!;
    expect(p50.caption).toContain('changes before run 11');
    const svg = await renderSvg(p50.spec, p50.caption);
    expect(svg.match(/aria-roledescription="point"/g) ?? svg.match(/<path/g)).not.toBeNull();
  });
});
