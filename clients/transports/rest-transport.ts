import { nowNs } from '../../results/clock.js';
import { messageOf } from '../../results/errors.js';
import type { InferRequest, ModelMetadata, ModelStatistics } from '../../servers/protocol/index.js';
import { encodeJsonRequest, INFER_HEADER, inferPath } from '../../servers/protocol/index.js';
import type { CallHandle, CallResult, Transport, TransportOptions } from './contract.js';
import { Deadlines } from './deadlines.js';
import type { Exchange } from './http1-pool.js';
import { RestCall } from './rest-call.js';
import { askForText, type TextAnswer } from './rest-control.js';

/** What speaks HTTP/1.1. One request a connection at a time; the others wait in it, and that wait counts as latency. */
export interface HttpEngine<Message> {
  /** A request, encoded before measuring. */
  message(method: 'GET' | 'POST', path: string, headers: HttpHeaders, body: readonly Uint8Array[]): Message;
  dispatch(exchange: Exchange<Message>): void;
  /** What is under way or waits fails. */
  destroy(): void;
}

export type HttpHeaders = Readonly<Record<string, string>>;

/** KServe v2 over HTTP/1.1, whatever the engine: no fetch, no promise and no stream a request. */
export class RestTransport<Message> implements Transport {
  private readonly deadlines: Deadlines;
  private readonly modelPath: string;
  private readonly keepBodies: boolean;

  constructor(
    private readonly options: TransportOptions,
    private readonly binary: boolean,
    private readonly engine: HttpEngine<Message>,
  ) {
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
    throw new Error(`GET ${this.options.url}${this.modelPath} answered HTTP ${status}: ${oneLine(text)}`);
  }

  async statistics(signal?: AbortSignal): Promise<ModelStatistics | undefined> {
    const { status, text } = await this.get(`${this.modelPath}/stats`, signal);
    if (status !== 200) return undefined;
    const { model_stats: models } = JSON.parse(text) as { readonly model_stats?: readonly ModelStatistics[] };
    return models?.[0];
  }

  encode(request: InferRequest): Message {
    const { parts, headerLength, length } = encodeJsonRequest(request, this.binary);
    const type = headerLength === undefined ? 'application/json' : 'application/octet-stream';
    const headers: Record<string, string> = { 'Content-Type': type, 'Content-Length': String(length) };
    if (headerLength !== undefined) headers[INFER_HEADER] = String(headerLength);
    return this.engine.message('POST', inferPath(request.modelName, request.modelVersion), headers, parts);
  }

  infer(encoded: unknown, done: (result: CallResult) => void): CallHandle {
    const call = new RestCall(encoded as Message, this.keepBodies, done);
    this.deadlines.add(call, nowNs());
    this.engine.dispatch(call);
    return call;
  }

  async close(): Promise<void> {
    this.deadlines.close();
    this.engine.destroy();
  }

  private async get(path: string, signal?: AbortSignal): Promise<TextAnswer> {
    const timeout = AbortSignal.timeout(Math.min(30_000, Math.max(1, this.options.timeoutNs / 1e6)));
    const message = this.engine.message('GET', path, {}, []);
    const either = signal ? AbortSignal.any([signal, timeout]) : timeout;
    try {
      return await askForText((exchange) => this.engine.dispatch(exchange), message, either);
    } catch (error) {
      throw new Error(`GET ${this.options.url}${path}: ${messageOf(error)}`, { cause: error });
    }
  }
}

/** The start of what a server that speaks another protocol says: of a whole page, a line. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, 200);
}
