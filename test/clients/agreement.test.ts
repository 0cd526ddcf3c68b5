import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { compareOutputs } from '../../clients/agreement.js';
import { classOf } from '../../servers/protocol/index.js';

const folder = mkdtempSync(join(tmpdir(), 'agreement-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, ...values: number[]): string {
  const path = join(folder, name);
  writeFileSync(path, new Uint8Array(Float32Array.from(values).buffer));
  return path;
}

test('two samples of three classes: one differs in its largest score, by 0.75 at most', async () => {
  const a = file('a', 1, 2, 3, 9, 8, 7);
  const b = file('b', 1, 2, 3, 8.5, 8.75, 7);
  expect(await compareOutputs(a, b, 2)).toEqual({ samples: 2, maxAbsoluteDifference: 0.75, top1: 0.5 });
});

test('outputs of different sizes are refused', async () => {
  await expect(compareOutputs(file('c', 1, 2), file('d', 1), 1)).rejects.toThrow(/holds 1 numbers.*holds 2/);
});

test('a class is the place of the first largest score, or an integer output itself', () => {
  const scores = new Uint8Array(Float32Array.of(0.1, 0.7, 0.7).buffer);
  expect(classOf({ name: 'y', datatype: 'FP32', shape: [1, 3], data: scores })).toBe(1);
  const label = new Uint8Array(BigInt64Array.of(7n).buffer);
  expect(classOf({ name: 'y', datatype: 'INT64', shape: [1], data: label })).toBe(7);
  expect(classOf({ name: 'y', datatype: 'BYTES', shape: [1], data: label })).toBeUndefined();
});
