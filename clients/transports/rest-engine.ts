import { nowNs } from '../../results/clock.js';
import { messageOf } from '../../results/errors.js';
import type { InferRequest, ModelMetadata, ModelStatistics } from '../../servers/protocol/index.js';
import { encodeJsonRequest, INFER_HEADER, inferPath } from '../../servers/protocol/index.js';
import type { CallHandle, CallResult, Transport, TransportOptions } from './contract.js';
import { Deadlines } from './deadlines.js';
import { Http1Pool } from './http1-pool.js';
import { originOf } from './loopback.js';
import { RestCall } from './rest-call.js';
import { askForText, type TextAnswer } from './rest-control.js';

/**
 * KServe v2 over HTTP/1.1, on an engine of our own: no fetch, no promise and no stream a request. One request a connection
 * at a time; requests beyond `connections` wait in the pool, and that wait counts as latency.
 */
export class RestTransport implements Transport {
  private readonly origin: URL;
  private readonly pool: Http1Pool;
  private readonly deadlines: Deadlines;
  private readonly modelPath: string;
  private readonly keepBodies: boolean;

  constructor(
    private readonly options: TransportOptions,
    private readonly binary: boolean,
  ) {
    this.origin = new URL(originOf(options.url));
    this.pool = new Http1Pool(this.origin, options.connections);
    this.deadlines = new Deadlines(options.timeoutNs);
    this.modelPath = `/v2/models/${encodeURIComponent(options.model)}`;
    this.keepBodies = options.responses ?? true;
  }

  async ready(signal?: AbortSignal): Promise<boolean> {
    try {
      return (await this.get(`${this.modelPath}/ready`, signal)).status === 200;
    } catch (error) {
      if (signal?.aborted) throw error;
      return false;
    }
  }

  async modelMetadata(signal?: AbortSignal): Promise<ModelMetadata> {
    const { status, text } = await this.get(this.modelPath, signal);
    if (status === 200) return JSON.parse(text) as ModelMetadata;
    throw new Error(`GET ${this.options.url}${this.modelPath} answered HTTP ${status}: ${text.slice(0, 500)}`);
  }

  async statistics(signal?: AbortSignal): Promise<ModelStatistics | undefined> {
    const { status, text } = await this.get(`${this.modelPath}/stats`, signal);
    if (status !== 200) return undefined;
    const { model_stats: models } = JSON.parse(text) as { readonly model_stats?: readonly ModelStatistics[] };
    return models?.[0];
  }

  /** The whole HTTP request, so that sending is one write. */
  encode(request: InferRequest): Buffer {
    const { parts, headerLength, length } = encodeJsonRequest(request, this.binary);
    const headers = [
      `POST ${inferPath(request.modelName, request.modelVersion)} HTTP/1.1`,
      `Host: ${this.origin.host}`,
      `Content-Type: ${headerLength === undefined ? 'application/json' : 'application/octet-stream'}`,
      `Content-Length: ${length}`,
    ];
    if (headerLength !== undefined) headers.push(`${INFER_HEADER}: ${headerLength}`);
    return Buffer.concat([Buffer.from(`${headers.join('\r\n')}\r\n\r\n`, 'latin1'), ...parts]);
  }

  infer(encoded: unknown, done: (result: CallResult) => void): CallHandle {
    const call = new RestCall(encoded as Buffer, this.keepBodies, done);
    this.deadlines.add(call, nowNs());
    this.pool.dispatch(call);
    return call;
  }

  async close(): Promise<void> {
    this.deadlines.close();
    this.pool.destroy();
  }

  private async get(path: string, signal?: AbortSignal): Promise<TextAnswer> {
    const timeout = AbortSignal.timeout(Math.min(30_000, Math.max(1, this.options.timeoutNs / 1e6)));
    const message = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: ${this.origin.host}\r\n\r\n`, 'latin1');
    const either = signal ? AbortSignal.any([signal, timeout]) : timeout;
    try {
      return await askForText((exchange) => this.pool.dispatch(exchange), message, either);
    } catch (error) {
      throw new Error(`GET ${this.options.url}${path}: ${messageOf(error)}`, { cause: error });
    }
  }
}
