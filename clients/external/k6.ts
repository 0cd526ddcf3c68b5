import { existsSync } from 'node:fs';
import { inferenceProtoPath } from '../../servers/protocol/grpc-service.js';
import type { ExternalLoad, ExternalTool, ToolRequest } from './contract.js';
import { instantNs, jsonOf, linesOf, originOf, workersFor } from './support.js';

/**
 * `constant-arrival-rate` with a virtual user for every request that may be under way: what finds none free is dropped,
 * not sent late, and is counted here (a counter that is absent counted nothing). The requests come from `--out json`, the
 * check that none is missing from `handleSummary`. `--address` of its own: two k6 on one machine would fight for port 6565.
 * Source: k6's documentation, "Open and closed models", "JSON output".
 */
export const k6: ExternalTool = {
  name: 'k6',
  summary: 'scripted HTTP and gRPC load, constant arrival rate',
  get: 'go install go.k6.io/k6@v1.8.1',
  protocols: ['rest', 'grpc'],
  loop: 'open',
  explains: 'has a virtual user for every request under way, so each leaves on time and send stands for due',
  versionArgs: ['version'],
  plan: (load, path) => ({
    files: { body: load.body, 'message.json': load.message, 'script.js': script(load, path) },
    steps: [
      [
        'run',
        '--quiet',
        '--no-usage-report',
        '--address=127.0.0.1:0',
        `--out=json=${path('points.ndjson')}`,
        path('script.js'),
      ],
    ],
  }),
  async read(path) {
    const { requests, dropped } = await readPoints(path('points.ndjson'));
    const summary = existsSync(path('summary.json')) ? await jsonOf(path('summary.json')) : undefined;
    const counted = (summary as { count?: number } | undefined)?.count;
    if (counted !== undefined && counted !== requests.length)
      throw new Error(`k6 summarises ${counted} requests, but its JSON output holds ${requests.length}`);
    return { kind: 'requests', requests, dropped };
  },
};

/** What k6 is told, as JSON in the script: the same in its versions 1 and 2. */
function script(load: ExternalLoad, path: (file: string) => string): string {
  const grpc = load.protocol === 'grpc';
  const options = {
    scenarios: {
      load: {
        executor: 'constant-arrival-rate',
        rate: Math.round(load.ratePerSecond * 1000),
        timeUnit: '1000s',
        duration: `${Math.round(load.durationNs / 1e6)}ms`,
        preAllocatedVUs: workersFor(load),
        gracefulStop: `${Math.ceil(load.timeoutNs / 1e9)}s`,
      },
    },
    discardResponseBodies: true,
    summaryTrendStats: ['count', 'med', 'max', 'p(95)', 'p(99)'],
    systemTags: ['status', 'error_code'],
  };
  const trend = grpc ? 'grpc_req_duration' : 'http_req_duration';
  const timeout = `${Math.ceil(load.timeoutNs / 1e6)}ms`;
  return [
    `import driver from '${grpc ? 'k6/net/grpc' : 'k6/http'}';`,
    `export const options = ${JSON.stringify(options)};`,
    ...(grpc ? grpcBody(load, path, timeout) : httpBody(load, path, timeout)),
    // The fields lie under `values` in the summary of version 1 and may lie higher in another.
    'export function handleSummary(data) {',
    `  const trend = (data.metrics || {})['${trend}'] || {};`,
    '  const values = trend.values || trend;',
    `  return { ${JSON.stringify(path('summary.json'))}: JSON.stringify({ count: values.count, p99: values['p(99)'] }) };`,
    '}',
    '',
  ].join('\n');
}

function httpBody(load: ExternalLoad, path: (file: string) => string, timeout: string): string[] {
  const params = { headers: load.headers, timeout };
  return [
    `const body = open(${JSON.stringify(path('body'))}, 'b');`,
    `const params = ${JSON.stringify(params)};`,
    `export default function () { driver.post(${JSON.stringify(load.url)}, body, params); }`,
  ];
}

/** A connection a virtual user, made with its first call. */
function grpcBody(load: ExternalLoad, path: (file: string) => string, timeout: string): string[] {
  const proto = inferenceProtoPath();
  const cut = proto.lastIndexOf('/');
  return [
    'const client = new driver.Client();',
    `client.load([${JSON.stringify(proto.slice(0, cut))}], ${JSON.stringify(proto.slice(cut + 1))});`,
    `const message = JSON.parse(open(${JSON.stringify(path('message.json'))}));`,
    'let connected = false;',
    'export default function () {',
    `  if (!connected) { client.connect(${JSON.stringify(load.url)}, { plaintext: true }); connected = true; }`,
    "  client.invoke('inference.GRPCInferenceService/ModelInfer', message, " +
      `{ timeout: '${timeout}', discardResponseMessage: true });`,
    '}',
  ];
}

/**
 * A request is one point of the duration metric, its time that of the answer; the time it waited for a connection
 * (`http_req_blocked`) comes as a further point of the same instant and belongs to its latency.
 */
async function readPoints(path: string): Promise<{ requests: ToolRequest[]; dropped: number }> {
  const requests: Mutable[] = [];
  let origin = Number.NaN;
  let dropped = 0;
  for await (const line of linesOf(path)) {
    const point = JSON.parse(line) as Point;
    if (point.type !== 'Point') continue;
    if (point.metric === 'dropped_iterations') dropped += point.data.value;
    if (point.metric === 'http_req_duration' || point.metric === 'grpc_req_duration') {
      if (Number.isNaN(origin)) origin = originOf(point.data.time);
      const latencyNs = point.data.value * 1e6;
      const sentNs = instantNs(point.data.time, origin) - latencyNs;
      requests.push({ sentNs, latencyNs, error: errorOf(point) });
    }
    const last = requests.at(-1);
    if (point.metric === 'http_req_blocked' && last) {
      last.sentNs -= point.data.value * 1e6;
      last.latencyNs += point.data.value * 1e6;
    }
  }
  return { requests, dropped };
}

type Mutable = { -readonly [Key in keyof ToolRequest]: ToolRequest[Key] };

interface Point {
  readonly type: string;
  readonly metric: string;
  readonly data: { readonly time: string; readonly value: number; readonly tags?: Readonly<Record<string, string>> };
}

function errorOf({ metric, data }: Point): string {
  const status = data.tags?.status ?? '';
  if (metric === 'grpc_req_duration') return status === '0' ? '' : `gRPC ${status}`;
  if (status === '200') return '';
  return status === '0' || status === '' ? `k6 ${data.tags?.error_code ?? 'error'}` : `HTTP ${status}`;
}
