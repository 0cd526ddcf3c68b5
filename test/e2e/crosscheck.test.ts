import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { externalTools, findTool } from '../../clients/external/index.js';
import { readRecordFile } from '../../results/arrow.js';
import { servemark } from './cli.js';
import { workFolder } from './folders.js';

const folder = workFolder('crosscheck');

interface Answer {
  readonly opinions: readonly {
    readonly test: string;
    readonly generator: string;
    readonly version: string | null;
    readonly basis: string;
    readonly verdict: string;
    readonly figures: { readonly completed: number; readonly latencyNs: Record<string, number | null> } | null;
  }[];
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
}

async function crosscheck(words: readonly string[]): Promise<Answer> {
  const { stdout, stderr } = await servemark(['crosscheck', ...words, '--json']);
  if (!stdout.startsWith('{')) throw new Error(stderr);
  return JSON.parse(stdout) as Answer;
}

for (const tool of externalTools)
  if (!findTool(tool)) console.log(`skipped: ${tool.name} for real (not found; get it: ${tool.get})`);

describe('servemark crosscheck', () => {
  // A server that stalls for 200 ms in every second: a fifth of all requests wait, so that the median of a closed loop misses it.
  const stall = [
    '--test',
    'stall',
    '--stall',
    '200ms',
    '--every',
    '1s',
    '--duration',
    '2s',
    '--transport',
    'rest-binary,grpc',
  ];

  test('stands our client and every tool found beside each other; the absent ones are named', async () => {
    const out = join(folder, 'all');
    const { opinions, skipped } = await crosscheck([...stall, '--out', out]);
    const names = new Set([...opinions.map(({ generator }) => generator), ...skipped.map(({ name }) => name)]);
    expect([...names].sort()).toEqual(['servemark', ...externalTools.map(({ name }) => name)].sort());
    for (const { name, reason } of skipped) expect(reason, name).toMatch(/get it: /);
    const ours = opinions.find(({ generator }) => generator === 'servemark')!;
    // 200 requests a second, the slowest tenth wait 100 ms and more: whatever else this machine does.
    expect(ours.basis).toBe('due');
    expect(ours.figures!.completed).toBe(400);
    expect(ours.figures!.latencyNs.p95! / 1e6).toBeGreaterThan(140);
    for (const each of opinions.filter(({ generator }) => generator !== 'servemark')) {
      expect(each.basis, each.generator).toBe('send');
      expect(each.verdict, each.generator).not.toBe('failed');
      expect(each.version, each.generator).toMatch(/^\d/);
      expect(each.figures!.completed, each.generator).toBeGreaterThan(100);
    }
    expect(existsSync(join(out, 'crosscheck.json'))).toBe(true);
    const vegeta = opinions.find(({ generator }) => generator === 'vegeta');
    if (!vegeta) return;
    const { records, metadata } = readRecordFile(join(out, 'stall', 'vegeta', 'records.arrow'));
    expect(metadata['latency.basis']).toBe('send');
    expect(records.length).toBe(400);
  }, 120_000);

  test.each([
    [['--test', 'stall', '--every', '2s', '--stall', '1s', '--duration', '3s'], 'a multiple of --every'],
    [['--test', 'stall', '--every', '1s', '--stall', '2s', '--duration', '1s'], 'not worked off'],
    [['--tools', 'k7'], 'Did you mean "k6"'],
    [['--test', 'both ways'], 'idle, stall, both'],
    [['--url', 'http://127.0.0.1:1'], 'Add --model NAME'],
    [['--url', 'http://192.168.1.1:8000', '--model', 'm', '--transport', 'rest'], 'is not this machine'],
    [['--rate', '10'], '200/s'],
  ])('%j is refused with what is allowed', async (words, said) => {
    const { code, stderr, stdout } = await servemark(['crosscheck', '--tools', 'wrk', ...words]);
    expect(`${stderr}${stdout}`).toContain(said);
    expect(code).not.toBe(0);
  });
});
