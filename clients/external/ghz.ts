import { inferenceProtoPath } from '../../servers/protocol/grpc-service.js';
import type { ExternalTool } from './contract.js';
import { instantNs, jsonOf, originOf, seconds, workersFor } from './support.js';

const STREAMS_PER_CONNECTION = 100;

/**
 * An open loop with `--async` only: without it a worker waits for each answer. `--duration-stop wait`, because by default
 * the calls under way at the end are reported as Unavailable. Figures come from `details[]`: ghz's own count and rps
 * include failures. A detail's timestamp is the end of its call. Source: ghz.sh, "Options".
 */
export const ghz: ExternalTool = {
  name: 'ghz',
  summary: 'constant-rate gRPC load, open loop with --async',
  get: 'go install github.com/bojand/ghz/cmd/ghz@v0.120.0',
  protocols: ['grpc'],
  loop: 'open',
  explains: 'with --async it never waits for an answer, so each call leaves on time and send stands for due',
  plan: (load, path) => {
    const connections = String(Math.max(1, Math.ceil(workersFor(load) / STREAMS_PER_CONNECTION)));
    return {
      files: { 'request.bin': load.body },
      steps: [
        [
          '--insecure',
          '--async',
          `--proto=${inferenceProtoPath()}`,
          '--call=inference.GRPCInferenceService/ModelInfer',
          `--binary-file=${path('request.bin')}`,
          `--rps=${Math.round(load.ratePerSecond)}`,
          `--duration=${seconds(load.durationNs)}s`,
          '--duration-stop=wait',
          `--timeout=${seconds(load.timeoutNs)}s`,
          `--concurrency=${connections}`,
          `--connections=${connections}`,
          '--format=json',
          `--output=${path('report.json')}`,
          load.url,
        ],
      ],
    };
  },
  async read(path) {
    const { details } = (await jsonOf(path('report.json'))) as { readonly details?: readonly Detail[] };
    if (!details) throw new Error('ghz reports no details');
    const origin = details[0] ? originOf(details[0].timestamp) : 0;
    const requests = details.map(({ timestamp, latency, status, error }) => ({
      sentNs: instantNs(timestamp, origin) - latency,
      latencyNs: latency,
      error: status === 'OK' ? '' : status || error || 'failed',
    }));
    return { kind: 'requests', requests, dropped: 0 };
  },
};

interface Detail {
  readonly timestamp: string;
  readonly latency: number;
  readonly status: string;
  readonly error: string;
}
