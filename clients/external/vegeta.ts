import type { ExternalTool, ToolRequest } from './contract.js';
import { instantNs, linesOf, originOf, seconds } from './support.js';

/**
 * An open loop: a goroutine for every request that finds none free. `-max-workers` would close the loop, and is left out.
 * Source: vegeta's README, "Usage manual".
 */
export const vegeta: ExternalTool = {
  name: 'vegeta',
  summary: 'constant-rate HTTP load, open loop',
  get: 'go install github.com/tsenart/vegeta/v12@v12.13.0',
  protocols: ['rest'],
  loop: 'open',
  explains: 'starts a worker whenever none is free, so each request leaves on time and send stands for due',
  plan: (load, path) => ({
    files: {
      'targets.json': `${JSON.stringify({
        method: 'POST',
        url: load.url,
        body: Buffer.from(load.body).toString('base64'),
        header: Object.fromEntries(Object.entries(load.headers).map(([name, value]) => [name, [value]])),
      })}\n`,
    },
    steps: [
      [
        'attack',
        '-format=json',
        `-targets=${path('targets.json')}`,
        `-rate=${Math.round(load.ratePerSecond * 1000)}/1000s`,
        `-duration=${seconds(load.durationNs)}s`,
        `-timeout=${seconds(load.timeoutNs)}s`,
        '-max-body=0',
        `-output=${path('attack.bin')}`,
      ],
      ['encode', '-to=json', `-output=${path('attack.ndjson')}`, path('attack.bin')],
    ],
  }),
  async read(path) {
    const requests: ToolRequest[] = [];
    let origin = Number.NaN;
    for await (const line of linesOf(path('attack.ndjson'))) {
      const hit = JSON.parse(line) as Hit;
      if (Number.isNaN(origin)) origin = originOf(hit.timestamp);
      const error = hit.code === 200 ? '' : hit.code > 0 ? `HTTP ${hit.code}` : hit.error || 'failed';
      requests.push({ sentNs: instantNs(hit.timestamp, origin), latencyNs: hit.latency, error });
    }
    return { kind: 'requests', requests, dropped: 0 };
  },
};

interface Hit {
  readonly code: number;
  readonly timestamp: string;
  readonly latency: number;
  readonly error: string;
}
