import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { firstDifference } from '../../servers/conform/compare.js';
import { conformFile } from '../../servers/conform.js';

const VECTORS = fileURLToPath(new URL('../vectors/', import.meta.url));
const files = await readdir(VECTORS);

describe('every vector passes', () => {
  test.each(files)('%s', async (file) => {
    const results = await conformFile(join(VECTORS, file));
    expect(results.filter(({ state }) => state !== 'passed')).toEqual([]);
    expect(results.length).toBeGreaterThan(0);
  });
});

describe('conform', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'servemark-conform-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const conform = async (content: unknown) => {
    const path = join(folder, 'vectors.json');
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
    return conformFile(path);
  };
  /** Two requests at 0 on one instance, 10 ns each: answered at 10 and 20. */
  const good = {
    name: 'two in a row',
    strategy: { name: 'serial', options: {} },
    instances: 1,
    cost: [[1, 10]],
    requests: [
      { id: 'a', at: 0 },
      { id: 'b', at: 0 },
    ],
    expect: {
      executions: [
        { instance: 0, start: 0, end: 10, requests: ['a'], rows: 1 },
        { instance: 0, start: 10, end: 20, requests: ['b'], rows: 1 },
      ],
      rejected: [],
      summary: { requests: 2, answered: 2, lastEndNs: 20, p50LatencyNs: 20, p99LatencyNs: 20 },
    },
  };
  const file = (...cases: object[]) => ({ schema: 1, cases });

  test('passes a case that agrees', async () => {
    expect(await conform(file(good))).toEqual([{ name: 'two in a row', strategy: 'serial', state: 'passed' }]);
  });

  test('shows the first difference with its path, what was found and what was expected', async () => {
    const wrong = structuredClone(good);
    wrong.expect.executions[1]!.end = 21;
    wrong.expect.summary.answered = 3;
    const [result] = await conform(file(wrong));
    expect(result).toMatchObject({ state: 'failed', difference: 'executions[1].end: found 20, expected 21' });
  });

  test('shows an execution that is missing or one too many', async () => {
    const fewer = structuredClone(good);
    fewer.expect.executions.pop();
    expect((await conform(file(fewer)))[0]!.difference).toMatch(/^executions\[1\]: found \{.*\}, expected nothing$/);
  });

  test('a strategy that does not exist is not implemented, and the other cases still run', async () => {
    const other = { ...good, strategy: { name: 'no-such-strategy', options: {} } };
    expect((await conform(file(other, good))).map(({ state }) => state)).toEqual(['not-implemented', 'passed']);
  });

  test('an option that the strategy refuses fails the case with the reason', async () => {
    const bad = { ...good, strategy: { name: 'serial', options: { maxQueueSize: -1 } } };
    expect((await conform(file(bad)))[0]).toMatchObject({
      state: 'failed',
      difference: expect.stringMatching(/maxQueueSize/),
    });
  });

  test('runs up to `until`: what has started is listed with its planned end, its requests are not answered', async () => {
    const until = {
      ...good,
      until: 15,
      expect: { executions: good.expect.executions, summary: { answered: 1, executions: 2, lastEndNs: 20 } },
    };
    expect((await conform(file(until)))[0]!.state).toBe('passed');
  });

  test('names file and place of what is malformed', async () => {
    await expect(conform('{')).rejects.toThrow(/vectors\.json: is not JSON/);
    await expect(conform({ schema: 2, cases: [] })).rejects.toThrow(/vectors\.json schema/);
    await expect(conform(file({ ...good, requests: undefined }))).rejects.toThrow(/either `requests`/);
    await expect(conform(file({ ...good, requests: [...good.requests, { id: 'c' }] }))).rejects.toThrow(
      /requests\.2\.at/,
    );
    await expect(
      conform(
        file({
          ...good,
          requests: [
            { id: 'b', at: 2 },
            { id: 'a', at: 1 },
          ],
        }),
      ),
    ).rejects.toThrow(/sorted/);
    await expect(conformFile(join(folder, 'absent.json'))).rejects.toThrow(/absent\.json: can't be read/);
  });
});

describe('numbers', () => {
  test.each([
    [2, 1.9999999999999996, true],
    [2, 3, false],
    [1e15, 1e15 + 1, false],
    [0.1 + 0.2, 0.3, true],
    [0.5, 0.5000001, false],
    [0, 1e-13, true],
    [null, 0, false],
    ['1', 1, false],
  ])('%s and %s agree: %s', (found, expected, agree) => {
    expect(firstDifference({ n: found }, { n: expected }) === undefined).toBe(agree);
  });

  test('keys that the vector does not name are ignored', () => {
    expect(firstDifference({ a: 1, b: 2 }, { a: 1 })).toBeUndefined();
    expect(firstDifference({ a: 1 }, { a: 1, b: null })).toBe('b: found nothing, expected null');
  });

  test('lists must have the same length', () => {
    expect(firstDifference([1, 2], [1])).toBe('[1]: found 2, expected nothing');
    expect(firstDifference([1], [1, 2])).toBe('[1]: found nothing, expected 2');
  });
});
