import type { ExternalTool, ToolRequest } from './contract.js';
import { headerArgs, linesOf, seconds } from './support.js';

/**
 * A closed loop with a rate limit, one HTTP/1.1 connection. The log holds start (µs since 1970), status and duration (µs)
 * of every answer. Source: h2load(1), `--log-file`.
 */
export const h2load: ExternalTool = {
  name: 'h2load',
  summary: 'HTTP load of nghttp2, closed loop with a rate limit',
  get: 'your system’s package (apt-get install nghttp2-client)',
  protocols: ['rest'],
  loop: 'closed',
  explains:
    'its connection waits for each answer: while the server stalls one request waits, and those that were due are never sent',
  versionArgs: ['--version'],
  plan: (load, path) => ({
    files: { body: load.body },
    steps: [
      [
        '--h1',
        '--clients=1',
        `--duration=${Math.max(1, Math.round(load.durationNs / 1e9))}`,
        `--rps=${load.ratePerSecond}`,
        `--connection-inactivity-timeout=${seconds(load.timeoutNs)}`,
        `--data=${path('body')}`,
        ...headerArgs('--header', load.headers),
        `--log-file=${path('requests.tsv')}`,
        load.url,
      ],
    ],
  }),
  async read(path) {
    const requests: ToolRequest[] = [];
    let origin = Number.NaN;
    for await (const line of linesOf(path('requests.tsv'))) {
      const [startUs, status, durationUs] = line.split('\t').map(Number) as [number, number, number];
      if (Number.isNaN(origin)) origin = startUs;
      // Status −1: the stream ended without an answer.
      const error = status === 200 ? '' : status > 0 ? `HTTP ${status}` : 'failed';
      requests.push({ sentNs: (startUs - origin) * 1e3, latencyNs: durationUs * 1e3, error });
    }
    return { kind: 'requests', requests, dropped: 0 };
  },
};
