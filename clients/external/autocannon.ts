import { createRequire } from 'node:module';
import type { ExternalLoad, ExternalTool } from './contract.js';
import { jsonOf } from './support.js';

const CONNECTIONS = 10;
const MODULE = 'autocannon/autocannon.js';

/**
 * A closed loop of ten connections with a rate: each sends its share of a second at once, then waits. With a rate it
 * corrects its histogram for omitted requests, passing seconds where milliseconds are kept. Source: autocannon's README.
 */
export const autocannon: ExternalTool = {
  name: 'autocannon',
  summary: 'HTTP load from Node.js, closed loop with a rate limit',
  get: 'npm install --save-dev autocannon',
  protocols: ['rest'],
  loop: 'closed',
  explains: `sends each second's requests in bursts over ${CONNECTIONS} connections, and its correction for omitted ones mixes seconds with milliseconds`,
  module: MODULE,
  plan: (load, path) => ({
    files: { body: load.body, 'script.cjs': script(load, path) },
    steps: [[path('script.cjs')]],
  }),
  async read(path) {
    const report = (await jsonOf(path('stdout'))) as Report;
    const { latency } = report;
    const ms = (value: number) => value * 1e6;
    return {
      kind: 'aggregates',
      reason: 'keeps a histogram of whole milliseconds, without p95',
      completed: report['2xx'],
      errors: report.errors + report.non2xx,
      durationNs: report.duration * 1e9,
      latencyNs: { p50: ms(latency.p50), p95: null, p99: ms(latency.p99), max: ms(latency.max) },
    };
  },
};

/** Its command line reads the body as UTF-8 text, which a binary tensor does not survive: a script hands it the bytes. */
function script(load: ExternalLoad, path: (file: string) => string): string {
  const options = {
    url: load.url,
    method: 'POST',
    headers: load.headers,
    overallRate: Math.round(load.ratePerSecond),
    connections: CONNECTIONS,
    duration: Math.max(1, Math.round(load.durationNs / 1e9)),
    timeout: Math.ceil(load.timeoutNs / 1e9),
  };
  return [
    `const autocannon = require(${JSON.stringify(createRequire(import.meta.url).resolve(MODULE))});`,
    `const body = require('node:fs').readFileSync(${JSON.stringify(path('body'))});`,
    `autocannon({ ...${JSON.stringify(options)}, body }, (error, report) => {`,
    '  if (error) throw error;',
    '  process.stdout.write(JSON.stringify(report));',
    '});',
    '',
  ].join('\n');
}

interface Report {
  readonly '2xx': number;
  readonly non2xx: number;
  readonly errors: number;
  readonly duration: number;
  readonly latency: { readonly p50: number; readonly p99: number; readonly max: number };
}
