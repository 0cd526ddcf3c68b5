import { nowNs } from '../../results/clock.js';
import { messageOf } from '../../results/errors.js';
import type { InferRequest, ModelMetadata, ModelStatistics } from '../../servers/protocol/index.js';
import { frameGrpcRequest } from '../../servers/protocol/index.js';
import type { CallHandle, CallResult, Transport, TransportDefinition, TransportOptions } from './contract.js';
import { Deadlines } from './deadlines.js';
import { GrpcCall } from './grpc-call.js';
import { askControl } from './grpc-control.js';
import { Http2Links } from './http2-links.js';
import { hostAndPort } from './loopback.js';

/** KServe v2 over HTTP/2, on an engine of our own: HTTP/2, gRPC's framing and `ModelInfer` by hand. */
export const grpc = {
  name: 'grpc',
  summary: 'gRPC over HTTP/2 with raw tensors',
  endpoint: 'grpc',
  create: (options) => new GrpcTransport(options),
} as const satisfies TransportDefinition;

/** Streams that one connection carries: what HTTP/2 recommends servers to allow at least (RFC 9113, 6.5.2). */
const STREAMS_PER_CONNECTION = 100;

class GrpcTransport implements Transport {
  private readonly links: Http2Links;
  private readonly deadlines: Deadlines;
  private readonly keepBodies: boolean;

  constructor(private readonly options: TransportOptions) {
    const count = Math.max(1, Math.ceil(options.connections / STREAMS_PER_CONNECTION));
    this.links = new Http2Links(hostAndPort(options.url), count);
    this.deadlines = new Deadlines(options.timeoutNs);
    this.keepBodies = options.responses ?? true;
  }

  async ready(signal?: AbortSignal): Promise<boolean> {
    try {
      return (await this.control<{ ready: boolean }>('ModelReady', signal)).ready;
    } catch (error) {
      if (signal?.aborted) throw error;
      return false;
    }
  }

  async modelMetadata(signal?: AbortSignal): Promise<ModelMetadata> {
    return await this.control<ModelMetadata>('ModelMetadata', signal);
  }

  async statistics(signal?: AbortSignal): Promise<ModelStatistics | undefined> {
    try {
      return (await this.control<{ model_stats: ModelStatistics[] }>('ModelStatistics', signal)).model_stats[0];
    } catch (error) {
      if (signal?.aborted) throw error;
      return undefined;
    }
  }

  /** The whole frame; the tensors of a long one are chunks of their own, so that the samples are not kept twice. */
  encode(request: InferRequest): readonly Uint8Array[] {
    return frameGrpcRequest(request);
  }

  infer(encoded: unknown, done: (result: CallResult) => void): CallHandle {
    const call = new GrpcCall(this.links, encoded as readonly Uint8Array[], this.keepBodies, done);
    this.deadlines.add(call, nowNs());
    call.start();
    return call;
  }

  async close(): Promise<void> {
    this.deadlines.close();
    this.links.destroy();
  }

  private async control<Answer>(name: string, signal?: AbortSignal): Promise<Answer> {
    const timeout = AbortSignal.timeout(Math.min(30_000, Math.max(1, this.options.timeoutNs / 1e6)));
    const either = signal ? AbortSignal.any([signal, timeout]) : timeout;
    try {
      return await askControl<Answer>(this.links, name, { name: this.options.model }, either);
    } catch (error) {
      throw new Error(`${name} of ${this.options.url}: ${messageOf(error)}`, { cause: error });
    }
  }
}
