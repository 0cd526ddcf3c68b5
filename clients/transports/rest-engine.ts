import { type Dispatcher, Pool } from 'undici';
import { nowNs } from '../../results/clock.js';
import { messageOf } from '../../results/errors.js';
import { INFER_HEADER } from '../../servers/protocol/json.js';
import { encodeJsonRequest, inferPath } from '../../servers/protocol/json-request.js';
import type { InferRequest, ModelMetadata, ModelStatistics } from '../../servers/protocol/types.js';
import type { CallHandle, CallResult, Transport, TransportOptions } from './contract.js';
import { Deadlines } from './deadlines.js';
import { originOf } from './loopback.js';
import { RestCall } from './rest-call.js';

/**
 * KServe v2 over HTTP/1.1 on undici's dispatcher: no fetch, no promise and no stream a request. One request a connection at
 * a time; requests beyond `connections` wait in the pool, and that wait counts as latency.
 */
export class RestTransport implements Transport {
  private readonly pool: Pool;
  private readonly deadlines: Deadlines;
  private readonly modelPath: string;

  constructor(
    private readonly options: TransportOptions,
    private readonly binary: boolean,
  ) {
    this.pool = new Pool(originOf(options.url), {
      connections: options.connections,
      pipelining: 1,
      // Our own deadlines count from the call, also while it waits for a connection.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: { timeout: Math.max(1, Math.ceil(options.timeoutNs / 1e6)) },
    });
    this.deadlines = new Deadlines(options.timeoutNs);
    this.modelPath = `/v2/models/${encodeURIComponent(options.model)}`;
  }

  async ready(signal?: AbortSignal): Promise<boolean> {
    try {
      const { statusCode } = await this.get(`${this.modelPath}/ready`, signal);
      return statusCode === 200;
    } catch (error) {
      if (signal?.aborted) throw error;
      return false;
    }
  }

  async modelMetadata(signal?: AbortSignal): Promise<ModelMetadata> {
    const { statusCode, text } = await this.get(this.modelPath, signal);
    if (statusCode === 200) return JSON.parse(text) as ModelMetadata;
    throw new Error(`GET ${this.options.url}${this.modelPath} answered HTTP ${statusCode}: ${text.slice(0, 500)}`);
  }

  async statistics(signal?: AbortSignal): Promise<ModelStatistics | undefined> {
    const { statusCode, text } = await this.get(`${this.modelPath}/stats`, signal);
    if (statusCode !== 200) return undefined;
    const { model_stats: models } = JSON.parse(text) as { readonly model_stats?: readonly ModelStatistics[] };
    return models?.[0];
  }

  encode(request: InferRequest): Dispatcher.DispatchOptions {
    const message = encodeJsonRequest(request, this.binary);
    const headers = [
      'content-type',
      message.headerLength === undefined ? 'application/json' : 'application/octet-stream',
    ];
    if (message.headerLength !== undefined) headers.push(INFER_HEADER.toLowerCase(), String(message.headerLength));
    return {
      path: inferPath(request.modelName, request.modelVersion),
      method: 'POST',
      headers,
      body: Buffer.concat(message.parts, message.length),
    };
  }

  infer(encoded: unknown, done: (result: CallResult) => void): CallHandle {
    const call = new RestCall(done);
    this.deadlines.add(call, nowNs());
    this.pool.dispatch(encoded as Dispatcher.DispatchOptions, call);
    return call;
  }

  async close(): Promise<void> {
    this.deadlines.close();
    await this.pool.destroy();
  }

  private async get(
    path: string,
    signal?: AbortSignal,
  ): Promise<{ readonly statusCode: number; readonly text: string }> {
    const timeout = AbortSignal.timeout(Math.min(30_000, Math.max(1, this.options.timeoutNs / 1e6)));
    const { statusCode, body } = await this.pool
      .request({ method: 'GET', path, signal: signal ? AbortSignal.any([signal, timeout]) : timeout })
      .catch((error: unknown) => {
        throw new Error(`GET ${this.options.url}${path}: ${messageOf(error)}`, { cause: error });
      });
    return { statusCode, text: await body.text() };
  }
}
