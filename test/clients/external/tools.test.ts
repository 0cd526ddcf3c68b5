import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { ExternalLoad, ToolOutput } from '../../../clients/external/contract.js';
import { externalTool, externalTools, figuresOf, importRequests, payloadOf } from '../../../clients/external/index.js';
import { decodeGrpcRequest } from '../../../servers/protocol/grpc-codec.js';
import { decodeJsonRequest } from '../../../servers/protocol/json-request.js';
import type { InferRequest } from '../../../servers/protocol/types.js';

/** Outputs of real runs, trimmed; see each test for what was run. */
const fixture = (folder: string) => (file: string) =>
  fileURLToPath(new URL(`../../fixtures/external/${folder}/${file}`, import.meta.url));

const input = new Uint8Array(Float32Array.of(1, 2).buffer);
const request: InferRequest = { modelName: 'm', inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: input }] };

const load: ExternalLoad = {
  ...payloadOf('rest-binary', 'http://127.0.0.1:8000', request),
  ratePerSecond: 200,
  durationNs: 20e9,
  worstLatencyNs: 2.5e9,
  timeoutNs: 30e9,
};

async function requestsOf(name: string, folder: string) {
  const output = await externalTool(name).read(fixture(folder), load);
  if (output.kind !== 'requests') throw new Error(`${name} gives aggregates`);
  return output;
}

describe('recorded outputs of other generators', () => {
  test.each(['v1', 'v2'])(
    'k6 %s: three requests, two dropped; the wait for a connection belongs to the latency',
    async (version) => {
      const { requests, dropped } = await requestsOf('k6', `k6-rest-${version}`);
      expect(requests.length).toBe(3);
      expect(dropped).toBe(2);
      expect(requests.every(({ error }) => error === '')).toBe(true);
      // Versions 1: 184.767770 + 0.208058 ms; 2: 50.601879 + 12.942921 ms.
      const expected = version === 'v1' ? 184.975828 : 63.5448;
      expect(requests[0]!.latencyNs / 1e6).toBeCloseTo(expected, 5);
    },
  );

  test.each(['v1', 'v2'])('k6 %s over gRPC: three calls, none failed', async (version) => {
    const { requests } = await requestsOf('k6', `k6-grpc-${version}`);
    expect(requests.length).toBe(3);
    expect(requests.every(({ error, latencyNs }) => error === '' && latencyNs > 1e6 && latencyNs < 250e6)).toBe(true);
  });

  test('k6 without dropped_iterations dropped nothing, and a status that is no 200 is an error', async () => {
    const { requests, dropped } = await requestsOf('k6', 'k6-error');
    expect(dropped).toBe(0);
    expect(new Set(requests.map(({ error }) => error))).toEqual(new Set(['HTTP 404']));
  });

  test('vegeta: time of sending and latency to the nanosecond; a 404 is an error', async () => {
    const { requests } = await requestsOf('vegeta', 'vegeta');
    expect(requests.slice(0, 3).map(({ latencyNs }) => latencyNs)).toEqual([2387727, 1099657, 1845961]);
    // …26.441576246 and …26.44645897: 4.882724 ms apart at 200/s.
    expect(requests[1]!.sentNs - requests[0]!.sentNs).toBe(4_882_724);
    expect(requests.map(({ error }) => error)).toEqual(['', '', '', 'HTTP 404']);
  });

  test('ghz: a detail’s timestamp is its end; failures are counted, but not among the latencies', async () => {
    const output = await requestsOf('ghz', 'ghz');
    const [first, second] = output.requests;
    expect(first!.latencyNs).toBe(2862345);
    expect(second!.sentNs - first!.sentNs).toBe(568878808 - 5574281 - (560988091 - 2862345));
    const { completed, errors, latencyNs } = figuresOf(output);
    expect([completed, errors]).toEqual([3, 1]);
    expect(latencyNs.max).toBe(5574281);
  });

  test('hey: offset and response time are seconds, in tenths of a millisecond', async () => {
    const { requests } = await requestsOf('hey', 'hey');
    expect(requests.length).toBe(4);
    expect(requests[0]).toEqual({ sentNs: 0.0145e9, latencyNs: 0.0029e9, error: '' });
    expect(requests[3]!.error).toBe('HTTP 404');
  });

  test('h2load: start and duration are microseconds', async () => {
    const { requests } = await requestsOf('h2load', 'h2load');
    expect(requests[1]).toEqual({ sentNs: 10_945_000, latencyNs: 684_000, error: '' });
    expect(requests[3]!.error).toBe('HTTP 404');
  });

  test('wrk and autocannon keep aggregates only, and say so', async () => {
    const wrk = await externalTool('wrk').read(fixture('wrk'), load);
    expect(wrk).toMatchObject({
      kind: 'aggregates',
      completed: 10_069,
      errors: 0,
      latencyNs: { p50: 236e3, p99: 171_887e3 },
    });
    const autocannon = await externalTool('autocannon').read(fixture('autocannon'), load);
    expect(autocannon).toMatchObject({
      kind: 'aggregates',
      completed: 503,
      latencyNs: { p50: 27e6, p95: null, p99: 65e6 },
    });
    for (const output of [wrk, autocannon]) expect((output as { reason: string }).reason).toMatch(/histogram/);
  });

  test('what is not the tool’s output is an error, not a figure', async () => {
    await expect(externalTool('hey').read(fixture('h2load'), load)).rejects.toThrow();
    await expect(externalTool('wrk').read(() => fixture('hey')('stdout'), load)).rejects.toThrow(
      'wrk printed no figures',
    );
    await expect(externalTool('ghz').read(() => fixture('hey')('stdout'), load)).rejects.toThrow('no JSON');
  });
});

describe('how tools are driven', () => {
  const path = (file: string) => `/folder/${file}`;
  const words = (name: string, changes: Partial<ExternalLoad> = {}) => {
    const { files, steps } = externalTool(name).plan({ ...load, ...changes }, path);
    return [...Object.values(files).map(String), ...steps.flat()].join('\n');
  };

  test('every tool is told URL, rate and payload; the payload is the bytes of our own encoder', () => {
    for (const tool of externalTools) {
      const grpc = !(tool.protocols as readonly string[]).includes('rest');
      const payload = grpc ? payloadOf('grpc', '127.0.0.1:8001', request) : {};
      const { files, steps } = tool.plan({ ...load, ...payload }, path);
      const all = [...Object.values(files).map(String), ...steps.flat()].join('\n');
      expect(all, tool.name).toContain(grpc ? '127.0.0.1:8001' : '/v2/models/m/infer');
      if (tool.name !== 'wrk') expect(all, tool.name).toMatch(/200/);
      const bodies = Object.values(files).filter((content) => typeof content !== 'string');
      if (tool.name !== 'vegeta') expect(bodies, tool.name).toHaveLength(1);
    }
  });

  test('k6 gets a virtual user for each request that 2.5 s at 200/s keep under way, an address of its own and p(99)', () => {
    expect(words('k6')).toMatch(/"preAllocatedVUs":510/);
    expect(words('k6')).toContain('--address=127.0.0.1:0');
    expect(words('k6')).toContain('p(99)');
    expect(words('k6')).toContain('constant-arrival-rate');
  });

  test('vegeta’s workers are not limited; ghz neither waits for answers nor counts calls under way as failed', () => {
    expect(words('vegeta')).not.toContain('max-workers');
    const ghz = words('ghz', payloadOf('grpc', '127.0.0.1:8001', request));
    expect(ghz).toContain('--async');
    expect(ghz).toContain('--duration-stop=wait');
  });

  test('the payloads of REST and gRPC decode to the request', () => {
    const binary = payloadOf('rest-binary', 'http://127.0.0.1:8000/', request);
    expect(binary.url).toBe('http://127.0.0.1:8000/v2/models/m/infer');
    const length = Number(binary.headers['Inference-Header-Content-Length']);
    expect(decodeJsonRequest(binary.body, length, 'm').inputs[0]!.shape).toEqual([1, 2]);
    const grpc = payloadOf('grpc', 'grpc://127.0.0.1:8001', request);
    expect(grpc.url).toBe('127.0.0.1:8001');
    expect(decodeGrpcRequest(grpc.body).inputs[0]!.shape).toEqual([1, 2]);
    expect(JSON.parse(grpc.message)).toEqual({
      model_name: 'm',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2] }],
      raw_input_contents: ['AACAPwAAAEA='],
    });
  });
});

describe('imported records', () => {
  const output: ToolOutput = {
    kind: 'requests',
    dropped: 0,
    requests: [
      { sentNs: 30, latencyNs: 5, error: '' },
      { sentNs: 10, latencyNs: 7, error: '' },
      { sentNs: 20, latencyNs: 1e9, error: 'HTTP 503' },
    ],
  };

  test('are in order of sending from t = 0, due when they were sent, lateness 0', () => {
    const table = importRequests(output.requests);
    expect([...table.issuedNs]).toEqual([0, 10, 20]);
    expect([...table.dueNs]).toEqual([...table.issuedNs]);
    expect([...table.completedNs]).toEqual([7, 10 + 1e9, 25]);
    expect(table.errorCodes[table.error[1]!]).toBe('HTTP 503');
  });

  test('give figures without the latency of what failed; the rate is that of sending', () => {
    const { completed, errors, latencyNs, ratePerSecond } = figuresOf(output);
    expect({ completed, errors, max: latencyNs.max, ratePerSecond }).toEqual({
      completed: 2,
      errors: 1,
      max: 7,
      ratePerSecond: 1e8,
    });
  });

  test('of nothing are no figures, not zeros', () => {
    const { latencyNs, ratePerSecond } = figuresOf({ kind: 'requests', requests: [], dropped: 3 });
    expect(latencyNs.p99).toBeNull();
    expect(ratePerSecond).toBeNull();
  });
});
