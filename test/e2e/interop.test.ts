import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { which } from '../../results/which.js';
import { type Served, serve } from './cli.js';

const run = promisify(execFile);
const MODEL = fileURLToPath(new URL('../../servers/models/fashion-mlp/fashion-mlp.onnx', import.meta.url));

const SERVICE = 'inference.GRPCInferenceService';
/** A ModelInfer request as protobuf's JSON. */
const INFER = {
  model_name: 'fashion-mlp',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 784] }],
  raw_input_contents: [Buffer.alloc(784 * 4).toString('base64')],
};

/** The program, or undefined with the reason printed. */
function tool(name: string, use: string): string | undefined {
  const found = which(name);
  if (!found) console.log(`skipped: ${use} (${name} is not on PATH; .ci/tools.sh gets it)`);
  return found;
}

const python = tool('tritonclient-python', 'tritonclient over HTTP and gRPC');
const ghz = tool('ghz', 'ghz over gRPC reflection');
const grpcurl = tool('grpcurl', 'grpcurl through reflection and health');
const k6 = tool('k6', 'k6 over gRPC reflection');
const h2spec = tool('h2spec', 'HTTP/2 conformance');
const perfAnalyzer = tool('perf_analyzer', 'perf_analyzer over both protocols');

describe('other people’s clients', () => {
  let server: Served;
  const folder = mkdtempSync(join(tmpdir(), 'servemark-interop-'));

  beforeAll(async () => {
    server = await serve(['fashion-mlp', '--strategy', 'triton-dynamic', '--set', 'maxBatchSize=8']);
  });

  afterAll(async () => {
    expect(await server.stop()).toBe(0);
    rmSync(folder, { recursive: true });
  });

  test.skipIf(!python)('tritonclient gets onnxruntime’s numbers over HTTP and gRPC', async () => {
    const fresh = await serve(['fashion-mlp', '--strategy', 'serial']);
    try {
      const script = fileURLToPath(new URL('tritonclient_check.py', import.meta.url));
      const { stdout } = await run(python!, [script, fresh.restUrl.replace('http://', ''), fresh.grpcAddress, MODEL]);
      const found = JSON.parse(stdout) as Record<string, number>;
      for (const difference of Object.values(found)) expect(difference).toBeLessThanOrEqual(1e-5);
    } finally {
      await fresh.stop();
    }
  });

  test.skipIf(!ghz)('ghz finds the service by reflection and every call succeeds', async () => {
    const data = join(folder, 'request.json');
    writeFileSync(data, JSON.stringify(INFER));
    const { stdout } = await run(
      ghz!,
      [
        '--insecure',
        '--call',
        'inference.GRPCInferenceService/ModelInfer',
        '-D',
        data,
        '-n',
        '200',
        '-c',
        '4',
        '-O',
        'json',
        server.grpcAddress,
      ],
      { maxBuffer: 2 ** 26 },
    );
    const report = JSON.parse(stdout) as { count: number; statusCodeDistribution: Record<string, number> };
    expect(report.statusCodeDistribution).toEqual({ OK: 200 });
  });

  test.skipIf(!grpcurl)('grpcurl lists and describes the services, asks for health and infers', async () => {
    const ask = async (...args: string[]) => (await run(grpcurl!, ['-plaintext', ...args])).stdout;
    const listed = await ask(server.grpcAddress, 'list');
    for (const name of ['inference.GRPCInferenceService', 'grpc.health.v1.Health']) expect(listed).toContain(name);
    expect(await ask(server.grpcAddress, 'describe', 'inference.ModelInferRequest')).toContain('raw_input_contents');
    expect(JSON.parse(await ask(server.grpcAddress, 'grpc.health.v1.Health/Check'))).toEqual({ status: 'SERVING' });
    const config = await ask('-d', '{"name":"fashion-mlp"}', server.grpcAddress, `${SERVICE}/ModelConfig`);
    expect(JSON.parse(config)).toMatchObject({ config: { max_batch_size: 8 } });
    const stats = await ask('-d', '{"name":"fashion-mlp"}', server.grpcAddress, `${SERVICE}/ModelStatistics`);
    expect(JSON.parse(stats)).toMatchObject({ model_stats: [{ name: 'fashion-mlp' }] });
    const answer = await ask('-d', JSON.stringify(INFER), server.grpcAddress, `${SERVICE}/ModelInfer`);
    expect(JSON.parse(answer)).toMatchObject({ model_name: 'fashion-mlp', outputs: [{ shape: ['1', '10'] }] });
    const wrong = ask('-d', '{"name":"resnet"}', server.grpcAddress, `${SERVICE}/ModelReady`);
    await expect(wrong).rejects.toThrow(/NotFound/);
  });

  test.skipIf(!k6)(
    'k6 finds the service by reflection and every call succeeds',
    async () => {
      const script = join(folder, 'k6.js');
      writeFileSync(
        script,
        `import grpc from 'k6/net/grpc';
        import { check } from 'k6';
        export const options = { vus: 2, iterations: 50, thresholds: { checks: ['rate==1'] } };
        const client = new grpc.Client();
        export default () => {
          if (__ITER === 0) client.connect('${server.grpcAddress}', { plaintext: true, reflect: true });
          const answer = client.invoke('${SERVICE}/ModelInfer', ${JSON.stringify(INFER)});
          check(answer, { ok: (r) => r.status === grpc.StatusOK && r.message.outputs[0].shape.length === 2 });
        };`,
      );
      const summary = join(folder, 'k6.json');
      const args = [
        'run',
        '--quiet',
        '--no-usage-report',
        '--address',
        '127.0.0.1:0',
        '--summary-export',
        summary,
        script,
      ];
      await run(k6!, args, { maxBuffer: 2 ** 26 }).catch((error: { stdout?: string; stderr?: string }) => {
        throw new Error(`${error.stdout}\n${error.stderr}`);
      });
      const { metrics } = JSON.parse(readFileSync(summary, 'utf8')) as { metrics: Record<string, { passes?: number }> };
      expect(metrics.checks?.passes).toBe(50);
    },
    60_000,
  );

  test.skipIf(!h2spec)(
    'h2spec finds HTTP/2 as RFC 7540 and 7541 have it',
    async () => {
      const report = join(folder, 'h2spec.xml');
      const [host, port] = server.grpcAddress.split(':') as [string, string];
      // It exits with 1 where a case fails.
      await run(h2spec!, ['-h', host, '-p', port, '-j', report], { maxBuffer: 2 ** 26 }).catch(() => {});
      const cases = readFileSync(report, 'utf8').split('<testcase ').slice(1);
      const failed = cases.filter((each) => each.includes('<failure'));
      expect(cases.length).toBeGreaterThan(140);
      // It sends 20 kB of headers in one frame and takes 16 kB for our limit, which is 1 MiB and announced.
      const known = /Sends a large size HEADERS frame that exceeds the SETTINGS_MAX_FRAME_SIZE/;
      expect(failed.filter((each) => !known.test(each))).toEqual([]);
    },
    60_000,
  );

  test.skipIf(!perfAnalyzer).each(['http', 'grpc'] as const)(
    'perf_analyzer drives it over %s',
    async (protocol) => {
      const address = protocol === 'http' ? server.restUrl.replace('http://', '') : server.grpcAddress;
      const csv = join(folder, `${protocol}.csv`);
      const { stdout } = await run(
        perfAnalyzer!,
        [
          '-m',
          'fashion-mlp',
          '-u',
          address,
          '-i',
          protocol,
          '--concurrency-range',
          '2',
          '-p',
          '1000',
          '-r',
          '10',
          '-s',
          '900',
          '--shape',
          'x:784',
          '-f',
          csv,
        ],
        { maxBuffer: 2 ** 26, timeout: 60_000 },
      ).catch((error: { stdout?: string; stderr?: string }) => {
        throw new Error(`${error.stdout}\n${error.stderr}`);
      });
      expect(stdout).toMatch(/Throughput: [1-9]/);
    },
    70_000,
  );
});
