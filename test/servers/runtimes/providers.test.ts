import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { lackOf, providerLibrary } from '../../../servers/runtimes/index.js';

const root = mkdtempSync(join(tmpdir(), 'servemark-providers-'));
const bare = join(root, 'bare');
const driven = join(root, 'driven');
mkdirSync(bare);
mkdirSync(join(driven, 'dev'), { recursive: true });
writeFileSync(join(driven, 'dev', 'nvidiactl'), '');
afterAll(() => rmSync(root, { recursive: true }));

describe.runIf(process.platform === 'linux')('execution providers', () => {
  test('the CPU lacks nothing; cuda without a driver is no GPU, wherever it stands in the list', () => {
    expect(lackOf(['cpu'], { root: bare })).toBeUndefined();
    expect(lackOf(['webgpu', 'cpu'], { root: bare })).toBeUndefined();
    expect(lackOf(['cuda', 'cpu'], { root: bare })).toMatch(/^no GPU: cuda/);
    expect(lackOf(['cpu', 'tensorrt'], { root: bare })).toMatch(/^no GPU: tensorrt/);
  });

  test('with a driver the provider’s library must lie where ONNX Runtime looks for it', () => {
    const path = join(driven, 'provider.so');
    expect(lackOf(['cuda'], { root: driven, library: () => path })).toMatch(/provider\.so is absent/);
    writeFileSync(path, '');
    expect(lackOf(['cuda'], { root: driven, library: () => path })).toBeUndefined();
  });

  test('the library’s place is beside the binding', () => {
    expect(providerLibrary('cuda')).toMatch(/onnxruntime-node\/bin\/napi-v\d+\/linux\/.*_providers_cuda\.so$/);
  });
});
