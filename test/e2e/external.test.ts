import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { pythonWith } from '../fixtures/python.js';
import { finish, servemark, start } from './cli.js';
import { onlyRun, readJson, scenarioFile, trialFiles, workFolder } from './folders.js';
import { child, descendants, gone, HAS_PROC } from './processes.js';

const folder = workFolder('external');
const bin = fileURLToPath(new URL('../../bin/servemark.js', import.meta.url));
const homeMade = fileURLToPath(new URL('../fixtures/servers/json-only.mjs', import.meta.url));
const python = pythonWith('fastapi, uvicorn, orjson, onnxruntime', 'an external server in Python for real');

describe('external servers as systems', () => {
  test('stand in one table with ours; what this machine or the server lacks is skipped, what dies is failed', async () => {
    const file = scenarioFile(
      folder,
      'mixed',
      `schema: 1
question: Ours, ours as an external server, a home-made one?
model: { dense: { layers: 1, width: 4 }, name: mlp }
systems:
  ours: { strategy: serial }
  served:
    external:
      start: ['${process.execPath}', '${bin}', serve, '{modelPath}', --name, mlp, --rest-port, '{port}', --grpc-port, '{port2}']
      url: 'http://127.0.0.1:{port}'
      grpc: '127.0.0.1:{port2}'
      model: mlp
  home-made:
    external:
      start: ['${process.execPath}', '${homeMade}', '{port}', '-']
      ready: 'http://127.0.0.1:{port}/healthz'
      url: 'http://127.0.0.1:{port}'
      model: mlp
      stopTimeout: 200ms
  dying: { external: { start: ['${process.execPath}', '${homeMade}', '{port}', '3'], url: 'http://127.0.0.1:{port}', model: mlp } }
  absent: { external: { start: [no-such-server], url: 'http://127.0.0.1:{port}', model: mlp } }
loads: { few: { type: closed, concurrency: 4, duration: 300ms } }
transports: [rest, rest-binary, grpc]
warmUp: 50ms
`,
    );
    const env = { SERVEMARK_CACHE: join(folder, 'cache') };
    const { code, stderr } = await servemark(['run', file, '--out', join(folder, 'mixed')], { env });
    expect(code, stderr).toBe(0);
    const run = onlyRun(join(folder, 'mixed'))!;
    const summary = (id: string) => readJson(run, 'trials', id, 'summary.json') as unknown as Summary;
    const files = trialFiles(run);
    const text = (id: string, name: string) => JSON.stringify(readJson(run, 'trials', id, name));

    for (const transport of ['rest', 'rest-binary', 'grpc']) {
      const served = summary(`served.few.${transport}.r1`);
      expect(served.counts.ok, transport).toBeGreaterThan(5);
      expect(served.meanBatch, transport).toBe(1);
      const seconds = served.processes.filter(({ role }) => role !== 'load').map((each) => each.userSeconds);
      if (HAS_PROC) expect(seconds.length, transport).toBeGreaterThan(0);
    }
    // No metadata, no statistics: the model file tells the inputs, and batch sizes are unknown, not 0.
    const own = summary('home-made.few.rest.r1');
    expect(own.counts.ok).toBeGreaterThan(5);
    expect(own.meanBatch).toBeNull();
    expect(own.closure).toBeNull();
    expect(text('home-made.few.rest-binary.r1', 'skipped.json')).toContain('takes no binary tensors');
    expect(text('home-made.few.grpc.r1', 'skipped.json')).toContain('external.grpc is not given');
    expect(text('absent.few.rest.r1', 'skipped.json')).toContain('no-such-server is not on PATH');
    expect(text('dying.few.rest.r1', 'failed.json')).toContain('ended with code 3 before it was ready');
    expect(text('dying.few.rest.r1', 'failed.json')).toContain('no such device');
    expect(Object.keys(files)).toHaveLength(15);
  }, 120_000);

  test.skipIf(!HAS_PROC)(
    'do not outlive a servemark that is killed',
    async () => {
      const file = scenarioFile(
        folder,
        'killed',
        `schema: 1
question: Who is left?
model: { dense: { layers: 1, width: 4 }, name: mlp }
systems:
  home-made:
    external:
      start: ['${process.execPath}', '${homeMade}', '{port}', '-']
      ready: 'http://127.0.0.1:{port}/healthz'
      url: 'http://127.0.0.1:{port}'
      model: mlp
loads: { long: { type: closed, concurrency: 1, duration: 60s } }
transports: [rest]
`,
      );
      const env = { SERVEMARK_CACHE: join(folder, 'cache') };
      const command = start(['run', file, '--out', join(folder, 'killed')], { env });
      const ended = finish(command);
      await child(command.pid!, 'json-only.mjs');
      await child(command.pid!, 'load-process.js');
      const all = descendants(command.pid!);
      command.kill('SIGKILL');
      await ended;
      await gone(all);
    },
    60_000,
  );

  test.skipIf(!python)(
    'the FastAPI example serves the generated model one request an execution',
    async () => {
      const example = fileURLToPath(new URL('../../scenarios/external/fastapi/app.py', import.meta.url));
      const file = scenarioFile(
        folder,
        'fastapi',
        `schema: 1
question: Does the example work?
model: { dense: { layers: 2, width: 8 }, name: mlp }
systems:
  fastapi:
    external:
      start: ['${python}', '${example}', --model, '{modelPath}', --port, '{port}']
      url: 'http://127.0.0.1:{port}'
      model: mlp
loads: { few: { type: closed, concurrency: 4, duration: 500ms } }
transports: [rest]
`,
      );
      const env = { SERVEMARK_CACHE: join(folder, 'cache') };
      const { code, stderr } = await servemark(['run', file, '--out', join(folder, 'fastapi')], { env });
      expect(code, stderr).toBe(0);
      const run = onlyRun(join(folder, 'fastapi'))!;
      const summary = readJson(run, 'trials', 'fastapi.few.rest.r1', 'summary.json') as unknown as Summary;
      expect(summary.counts.ok).toBeGreaterThan(5);
      expect(summary.meanBatch).toBe(1);
    },
    120_000,
  );
});

interface Summary {
  readonly counts: { readonly ok: number };
  readonly meanBatch: number | null;
  readonly closure: number | null;
  readonly processes: readonly { readonly role: string; readonly userSeconds: number }[];
}
