import { describe, expect, it } from 'vitest';
import { MEASUREMENT_COLUMNS, measurements } from '../../results/measurements.js';
import { renderReport, renderReports } from '../../results/report.js';
import { fakeRun } from '../fakes/runs.js';

const fake = fakeRun({ repeats: 1, loads: ['half', 'over'], requests: 700 });
const trials = new Set(fake.run.plan.trials.map(({ identity }) => identity.id));

/** RFC 4180, written apart from the writer. */
function parseCsv(text: string): string[][] {
  return [...text.matchAll(/(?:(?:^|,|\r\n)(?:"(?:[^"]|"")*"|[^",\r\n]*))/g)].reduce<string[][]>((rows, [match]) => {
    const field = match
      .replace(/^(?:,|\r\n)/, '')
      .replace(/^"([\s\S]*)"$/, '$1')
      .replaceAll('""', '"');
    if (!match.startsWith(',')) rows.push([]);
    rows.at(-1)!.push(field);
    return rows;
  }, []);
}

describe('measurements', () => {
  it('name their trial in every row, and are the figures of its summary', () => {
    const rows = measurements(fake.run, 'run');
    expect(rows.every((row) => trials.has(row.trial))).toBe(true);
    for (const outcome of fake.run.outcomes) {
      if (outcome.state !== 'completed') throw new Error('the fake run completes');
      const { trial, latencyNs } = outcome.summary;
      const [p50] = rows.filter((row) => row.trial === trial.id && row.metric === 'latency' && row.statistic === 'p50');
      expect(p50).toMatchObject({ value: latencyNs.p50.value, unit: 'ns', verdict: outcome.summary.verdict.state });
    }
  });

  it('say why there is no number: absent is never 0', () => {
    const [rare] = measurements(fake.run, 'run').filter((row) => row.statistic === 'p999');
    expect(rare).toMatchObject({ value: null, reason: expect.stringContaining('n too small') });
  });

  it('keep a trial that failed as one row with its error', () => {
    const { identity } = fake.run.plan.trials[0]!;
    const outcomes = [{ state: 'failed', trial: identity, error: 'died, "badly"\nsoon', lastLines: [] }] as const;
    expect(measurements({ ...fake.run, outcomes }, 'run')).toMatchObject([
      { trial: identity.id, verdict: 'failed', value: null, reason: 'died, "badly"\nsoon' },
    ]);
  });
});

describe('the CSV', () => {
  it('reads back as the measurements, whatever stands in them', async () => {
    const { identity } = fake.run.plan.trials[0]!;
    const failed = { state: 'failed', trial: identity, error: 'died, "badly"\nsoon', lastLines: [] } as const;
    const run = { ...fake.run, outcomes: [...fake.run.outcomes.slice(1), failed] };
    const [head, ...rows] = parseCsv((await renderReport(run, 'csv', fake)).text.replace(/\r\n$/, ''));
    expect(head).toEqual(MEASUREMENT_COLUMNS);
    const expected = measurements(run, 'run').map((row) =>
      MEASUREMENT_COLUMNS.map((column) => (row[column] === null ? '' : String(row[column]))),
    );
    expect(rows).toEqual(expected);
  });
});

describe('a cell of a report', () => {
  it('leads to its trials: in JSON by id, in HTML to the list of trials, in Markdown to their folder', async () => {
    const json = JSON.parse((await renderReport(fake.run, 'json', fake)).text) as {
      sections: { name: string; blocks: { kind: string; rows?: { text: string; trials: string[] }[][] }[] }[];
    };
    const tables = json.sections.filter(({ name }) => ['overview', 'percentiles', 'batches', 'cost'].includes(name));
    const cells = tables.flatMap(({ blocks }) =>
      blocks.flatMap(({ rows = [] }) => rows.flatMap((row) => row.slice(1))),
    );
    expect(cells.length).toBeGreaterThan(100);
    expect(cells.filter((cell) => cell.trials.length === 0)).toEqual([]);
    expect(cells.every((cell) => cell.trials.every((id) => trials.has(id)))).toBe(true);

    const html = (await renderReport(fake.run, 'html', fake)).text;
    const anchors = new Set([...html.matchAll(/ id="(trial-[^"]+)"/g)].map((match) => match[1]!));
    const links = [...html.matchAll(/href="#(trial-[^"]+)"/g)].map((match) => match[1]!);
    expect(anchors.size).toBe(trials.size);
    expect(links.every((link) => anchors.has(link))).toBe(true);

    const { text } = await renderReport(fake.run, 'markdown', fake);
    const used = new Set([...text.matchAll(/\]\[(t\d+)\]/g)].map((match) => match[1]!));
    const defined = new Map(
      [...text.matchAll(/^\[(t\d+)\]: <trials\/([^>]+)> "([^"]+)"$/gm)].map((m) => [m[1]!, m[3]!]),
    );
    expect([...used].sort()).toEqual([...defined.keys()].sort());
    for (const ids of defined.values()) for (const id of ids.split(', ')) expect(trials.has(id)).toBe(true);
  });
});

describe('several runs', () => {
  it('make one document, in which no anchor, figure or trial of one is taken for another’s', async () => {
    const runs = [fake.run, { ...fake.run, folder: '/elsewhere/run' }];
    const html = (await renderReports(runs, 'html')).text;
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]!);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => id.startsWith('trial-'))).toHaveLength(2 * trials.size);
    const { files } = await renderReports(runs, 'vega');
    expect(new Set(files.map((file) => file.path)).size).toBe(files.length);
    const rows = parseCsv((await renderReports(runs, 'csv')).text.replace(/\r\n$/, '')).slice(1);
    expect([...new Set(rows.map(([run]) => run))]).toEqual(['run', 'run-2']);
  });
});
