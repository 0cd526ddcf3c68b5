import { readFile } from 'node:fs/promises';
import type { ExternalLoad, ExternalTool } from './contract.js';
import { seconds } from './support.js';

/**
 * A closed loop without a rate, one connection: the next request leaves when the answer is there. Payload and figures go
 * through a Lua script, since the command line knows neither a body nor percentiles. Source: wrk's SCRIPTING document.
 */
export const wrk: ExternalTool = {
  name: 'wrk',
  summary: 'HTTP load as fast as answers come, closed loop',
  get: 'your system’s package (apt-get install wrk)',
  protocols: ['rest'],
  loop: 'closed',
  explains:
    'a closed loop without a rate: while the server stalls one request waits; its histogram then adds the omitted ones, at the rate that it reached, not at ours',
  versionArgs: ['-v'],
  plan: (load, path) => ({
    files: { body: load.body, 'script.lua': script(load, path) },
    steps: [
      [
        '--threads=1',
        '--connections=1',
        `--duration=${Math.max(1, Math.round(load.durationNs / 1e9))}s`,
        `--timeout=${seconds(load.timeoutNs)}s`,
        '--script',
        path('script.lua'),
        load.url,
      ],
    ],
  }),
  async read(path) {
    const line = (await readFile(path('stdout'), 'utf8')).split('\n').find((each) => each.startsWith('{'));
    if (line === undefined) throw new Error('wrk printed no figures');
    const figures = JSON.parse(line) as Readonly<
      Record<'requests' | 'us' | 'errors' | 'p50' | 'p95' | 'p99' | 'max', number>
    >;
    const us = (value: number) => value * 1e3;
    return {
      kind: 'aggregates',
      reason: 'keeps a histogram only',
      // Answers with an error status are among its requests and its latencies.
      completed: figures.requests - figures.errors,
      errors: figures.errors,
      durationNs: figures.us * 1e3,
      latencyNs: { p50: us(figures.p50), p95: us(figures.p95), p99: us(figures.p99), max: us(figures.max) },
    };
  },
};

function script(load: ExternalLoad, path: (file: string) => string): string {
  return [
    'wrk.method = "POST"',
    `local file = assert(io.open(${JSON.stringify(path('body'))}, "rb"))`,
    'wrk.body = file:read("*a")',
    'file:close()',
    ...Object.entries(load.headers).map(
      ([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`,
    ),
    'function done(summary, latency)',
    '  local e = summary.errors',
    `  io.write(string.format('\\n{"requests":%d,"us":%d,"errors":%d,"p50":%d,"p95":%d,"p99":%d,"max":%d}\\n',`,
    '    summary.requests, summary.duration, e.status + e.connect + e.read + e.write + e.timeout,',
    '    latency:percentile(50), latency:percentile(95), latency:percentile(99), latency.max))',
    'end',
    '',
  ].join('\n');
}
