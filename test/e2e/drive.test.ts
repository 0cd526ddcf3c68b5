import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Served, serve, servemark } from './cli.js';
import { readJson, workFolder } from './folders.js';
import { within } from './within.js';

const folder = workFolder('drive');
const SHORT = ['--duration', '400ms', '--warm-up', '100ms', '--out', join(folder, 'runs')];
const DISTRIBUTION = ['p50', 'p90', 'p95', 'p99', 'p999', 'min', 'max', 'mean'];

interface Driven {
  completed: number;
  errors: number;
  throughputPerSecond: number;
  latencyNs: Record<string, number | null>;
  latenessNs: Record<string, number | null>;
  verdict: { state: string; findings: unknown[] };
  runFolder: string;
}

describe('servemark drive', () => {
  let server: Served;
  beforeAll(async () => {
    server = await serve(['null']);
  });
  afterAll(() => server.stop());
  const address = (transport: string) => (transport === 'grpc' ? server.grpcAddress : server.restUrl);

  test.each([
    ['rest-binary', ['--load', 'open', '--arrivals', 'constant', '--rate', '200/s']],
    ['rest-binary', ['--load', 'closed', '--concurrency', '4']],
    ['grpc', ['--load', 'open', '--arrivals', 'poisson', '--rate', '200/s']],
    ['grpc', ['--load', 'closed', '--concurrency', '4']],
  ])('--json over %s with %j prints one object with what scripts rely on', async (transport, load) => {
    const args = [
      'drive',
      address(transport),
      '--model',
      'null',
      '--transport',
      transport,
      ...load,
      ...SHORT,
      '--json',
    ];
    const { code, stdout, stderr } = await servemark(args);
    expect(code, stderr).toBe(0);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    const driven = JSON.parse(stdout) as Driven;
    expect(driven.errors).toBe(0);
    // Due at 0, 5 … 395 ms: exactly rate × duration. Poisson offers as many.
    if (load.includes('open')) expect(driven.completed).toBe(80);
    else expect(driven.completed).toBeGreaterThan(40);
    expect(driven.throughputPerSecond).toBeGreaterThan(0);
    for (const distribution of [driven.latencyNs, driven.latenessNs]) {
      expect(Object.keys(distribution)).toEqual(DISTRIBUTION);
      expect(distribution.min!).toBeLessThanOrEqual(distribution.mean!);
      expect(distribution.mean!).toBeLessThanOrEqual(distribution.max!);
    }
    expect(['VALID', 'INVALID']).toContain(driven.verdict.state);
    expect(driven.verdict.findings).toBeInstanceOf(Array);
    expect(existsSync(join(driven.runFolder, 'report.html'))).toBe(true);
    expect(readJson(driven.runFolder, 'state.json')).toEqual({ state: 'completed' });
  });

  test.each<[what: string, args: (s: Served) => string[], message: RegExp]>([
    [
      'a machine that is not this one',
      () => ['http://192.0.2.1:8000', '--model', 'null'],
      /not this machine.*loopback/,
    ],
    ['the same over gRPC', () => ['192.0.2.1:8001', '--model', 'null', '--transport', 'grpc'], /not this machine/],
    [
      'a model that is not there',
      (s) => [s.restUrl, '--model', 'resnet'],
      /unknown model "resnet"; this server has "null"|"resnet"/,
    ],
    ['a load without its rate', (s) => [s.restUrl, '--model', 'null', '--set', 'rate=fast'], /load\.rate/],
    [
      'an unknown transport',
      (s) => [s.restUrl, '--model', 'null', '--transport', 'soap'],
      /no transport "soap".*rest-binary/,
    ],
    [
      'a share that is none',
      (s) => [s.restUrl, '--model', 'null', '--error-rate', 'few'],
      /--error-rate: "few" is no share/,
    ],
    [
      'more than all',
      (s) => [s.restUrl, '--model', 'null', '--error-rate', '500%'],
      /--error-rate: "500%"\. Allowed: at most 100%/,
    ],
    [
      'a scheme that nobody speaks',
      (s) => [s.restUrl.replace('http', 'ftp'), '--model', 'null'],
      /is an address of ftp\. Allowed: http:\/\/host:port/,
    ],
  ])('refuses %s with 2', async (_what, args, message) => {
    const { code, stdout, stderr } = await within(['drive', ...args(server), '--rate', '50/s', ...SHORT]);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('fault of servemark');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  test('--processes 2 shares one schedule: as many requests, the same hash, one record file', async () => {
    const args = ['drive', server.restUrl, '--model', 'null', '--arrivals', 'constant', '--rate', '200/s', ...SHORT];
    const [one, two] = await Promise.all([
      servemark([...args, '--json']),
      servemark([...args, '--json', '--processes', '2']),
    ]);
    const [alone, shared] = [one, two].map(
      ({ stdout }) =>
        JSON.parse(stdout) as { completed: number; scheduleSha256: string; loadCpu: { processes?: number } },
    );
    expect(shared!.completed).toBe(80);
    expect(shared!.scheduleSha256).toBe(alone!.scheduleSha256);
    expect([alone!.loadCpu.processes, shared!.loadCpu.processes]).toEqual([undefined, 2]);
  });

  test('ends with 1 where no request was answered', async () => {
    const broken = await serve(['synthetic', '--model-set', 'errors={"rate":1}']);
    const load = ['--rate', '100/s', ...SHORT, '--json'];
    const { code, stdout } = await within(['drive', broken.restUrl, '--model', 'synthetic', ...load]);
    await broken.stop();
    expect(JSON.parse(stdout)).toMatchObject({ completed: 0, errors: 40, verdict: { state: 'INVALID' } });
    expect(code).toBe(1);
  });

  test('--processes beyond what is in flight is refused with the most that can be', async () => {
    const { code, stderr } = await within([
      ...['drive', server.restUrl, '--model', 'null', '--load', 'single-stream', '--processes', '2', ...SHORT],
    ]);
    expect(stderr).toMatch(/--processes: "2" does not do\. Allowed: a whole number from 1 to 1/);
    expect(code).toBe(2);
  });

  test.each(['rest-binary', 'grpc'])('says over %s that nobody answers, and ends with 2', async (transport) => {
    const port = await freePort();
    const url = transport === 'grpc' ? `127.0.0.1:${port}` : `http://127.0.0.1:${port}`;
    const { code, stderr } = await within([
      'drive',
      url,
      '--model',
      'null',
      '--transport',
      transport,
      '--rate',
      '50/s',
      ...SHORT,
    ]);
    expect(stderr).toMatch(/ECONNREFUSED.*Start the server first/);
    expect(code).toBe(2);
  });
});

/** A port that nobody listens on. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
