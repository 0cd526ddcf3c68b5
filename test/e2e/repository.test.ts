import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { which } from '../../results/which.js';
import { linearGraph, writeOnnx } from '../fixtures/onnx-file.js';
import { type Served, serve, servemark } from './cli.js';

const run = promisify(execFile);
const python = which('tritonclient-python');
if (!python)
  console.log('skipped: tritonclient’s repository calls (tritonclient-python is not on PATH; .ci/tools.sh gets it)');

let root: string;
let server: Served | undefined;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'servemark-repository-'));
  version(1);
});
afterEach(async () => {
  await server?.stop();
  server = undefined;
  rmSync(root, { recursive: true });
});

describe('servemark serve --repository', () => {
  test('swaps versions while a load runs, and no request is lost', async () => {
    server = await serve(['--repository', root, '--model-control', 'explicit', '--load-model', '*']);
    const answers: unknown[] = [];
    let going = true;
    const load = Array.from({ length: 4 }, async () => {
      while (going) answers.push(await post(`${server!.restUrl}/v2/models/m/infer`, REQUEST));
    });
    for (let number = 2; number <= 4; number++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      version(number);
      expect(await post(`${server.restUrl}/v2/repository/models/m/load`)).toEqual({});
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    going = false;
    await Promise.all(load);
    const versions = answers.map((answer) => (answer as { readonly model_version?: string }).model_version);
    expect(answers.filter((_, i) => versions[i] === undefined)).toEqual([]);
    expect([...new Set(versions)].sort()).toEqual(['1', '2', '3', '4']);
    expect(await post(`${server.restUrl}/v2/repository/index`, { ready: true })).toEqual([
      { name: 'm', version: '4', state: 'READY', reason: '' },
    ]);
  });

  test('serves a version under its own URL, and says what is wrong with a load', async () => {
    writeFileSync(join(root, 'm', 'config.pbtxt'), 'version_policy { all {} }');
    version(2);
    server = await serve(['--repository', root, '--model-control', 'explicit', '--load-model', 'm']);
    for (const number of ['1', '2'])
      expect(await post(`${server.restUrl}/v2/models/m/versions/${number}/infer`, REQUEST)).toMatchObject({
        model_version: number,
      });
    expect(await post(`${server.restUrl}/v2/repository/models/..%2Fm/load`)).toMatchObject({
      error: expect.stringContaining('no model "../m" in the repository'),
    });
    expect(await post(`${server.restUrl}/v2/repository/models/m/unload`)).toEqual({});
    const gone = await fetch(`${server.restUrl}/v2/models/m/ready`);
    expect(gone.status).toBe(503);
  });

  test.each([
    [['fashion-mlp', '--repository', '.'], '"fashion-mlp" beside --repository'],
    [['--repository', './nowhere'], 'there is no such folder'],
    [['--repository', '.', '--model-control', 'always'], '"always" is unknown'],
    [['--repository', '.', '--load-model', 'm'], 'it names models under --model-control none'],
    [[], 'no model is named'],
  ])('%j is refused', async (args, message) => {
    const { code, stderr } = await servemark(['serve', ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  test.skipIf(!python)('tritonclient loads, unloads and lists over HTTP and gRPC', async () => {
    version(2);
    writeFileSync(join(root, 'm', 'config.pbtxt'), 'version_policy { all {} }');
    server = await serve(['--repository', root, '--model-control', 'explicit']);
    const script = fileURLToPath(new URL('triton_repository_check.py', import.meta.url));
    const { stdout } = await run(python!, [script, server.restUrl.replace('http://', ''), server.grpcAddress]);
    for (const seen of Object.values(JSON.parse(stdout) as Record<string, unknown>))
      expect(seen).toEqual({
        states: ['UNAVAILABLE', 'READY', 'UNAVAILABLE'],
        versions: ['2', '1'],
        rows: 4,
        ready: false,
        unknown: expect.stringContaining('no model "nobody" in the repository'),
        infer: expect.stringContaining('model "m" is not ready: unloaded'),
      });
  });
});

const REQUEST = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], data: [1, 1, 1, 1] }] };

function version(number: number): void {
  const folder = join(root, 'm', String(number));
  mkdirSync(folder, { recursive: true });
  writeOnnx(join(folder, 'model.onnx'), linearGraph());
}

async function post(url: string, body: unknown = {}): Promise<unknown> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
  return response.json();
}
