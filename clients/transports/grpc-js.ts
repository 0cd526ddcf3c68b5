import { Client, type ClientOptions, credentials, type MethodDefinition } from '@grpc/grpc-js';
import { nowNs } from '../../results/clock.js';
import type { InferRequest, ModelMetadata, ModelStatistics } from '../../servers/protocol/index.js';
import { encodeGrpcRequest, inferenceService } from '../../servers/protocol/index.js';
import type { CallHandle, CallResult, Transport, TransportDefinition, TransportOptions } from './contract.js';
import { Deadlines } from './deadlines.js';
import { GrpcJsCall } from './grpc-js-call.js';
import { hostAndPort } from './loopback.js';

/** KServe v2 over HTTP/2 through grpc-js, with our own codec: what other clients in Node do, and a check on our own engine. */
export const grpcJs = {
  name: 'grpc-js',
  summary: 'as grpc, through the library @grpc/grpc-js: a second opinion on our engine',
  endpoint: 'grpc',
  create: (options) => new GrpcJsTransport(options),
} as const satisfies TransportDefinition;

/** Streams that one connection carries: what HTTP/2 recommends servers to allow at least (RFC 9113, 6.5.2). */
const STREAMS_PER_CONNECTION = 100;

class GrpcJsTransport implements Transport {
  private readonly clients: readonly Client[];
  private readonly deadlines: Deadlines;
  private next = 0;

  constructor(private readonly options: TransportOptions) {
    const count = Math.max(1, Math.ceil(options.connections / STREAMS_PER_CONNECTION));
    const address = hostAndPort(options.url);
    this.clients = Array.from({ length: count }, () => new Client(address, credentials.createInsecure(), CHANNEL));
    this.deadlines = new Deadlines(options.timeoutNs);
  }

  async ready(signal?: AbortSignal): Promise<boolean> {
    try {
      return (await this.control<{ ready: boolean }>('ModelReady', { name: this.options.model }, signal)).ready;
    } catch (error) {
      if (signal?.aborted) throw error;
      return false;
    }
  }

  async modelMetadata(signal?: AbortSignal): Promise<ModelMetadata> {
    return await this.control<ModelMetadata>('ModelMetadata', { name: this.options.model }, signal);
  }

  async statistics(signal?: AbortSignal): Promise<ModelStatistics | undefined> {
    try {
      const answer = await this.control<{ model_stats: ModelStatistics[] }>(
        'ModelStatistics',
        { name: this.options.model },
        signal,
      );
      return answer.model_stats[0];
    } catch (error) {
      if (signal?.aborted) throw error;
      return undefined;
    }
  }

  encode(request: InferRequest): Buffer {
    return encodeGrpcRequest(request);
  }

  infer(encoded: unknown, done: (result: CallResult) => void): CallHandle {
    const call = new GrpcJsCall(done);
    this.deadlines.add(call, nowNs());
    this.next = (this.next + 1) % this.clients.length;
    call.start(this.clients[this.next]!, encoded as Buffer);
    return call;
  }

  async close(): Promise<void> {
    this.deadlines.close();
    for (const client of this.clients) client.close();
  }

  private control<Answer>(name: string, message: object, signal?: AbortSignal): Promise<Answer> {
    const method = SERVICE[name] as unknown as MethodDefinition<object, Answer>;
    const deadline = Date.now() + Math.min(30_000, Math.max(1, this.options.timeoutNs / 1e6));
    return new Promise((resolve, reject) => {
      const call = this.clients[0]!.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        message,
        { deadline },
        (error, answer) => {
          signal?.removeEventListener('abort', cancel);
          if (error) reject(new Error(`${name} of ${this.options.url}: ${error.message}`, { cause: error }));
          else resolve(answer!);
        },
      );
      const cancel = () => call.cancel();
      signal?.addEventListener('abort', cancel, { once: true });
    });
  }
}

const SERVICE = inferenceService();

/** 1 MiB windows spare large tensors the stalls of HTTP/2's 64 kB default; retries would hide a refusal and cost a buffer. */
const CHANNEL: ClientOptions = {
  'grpc.use_local_subchannel_pool': 1,
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  'grpc.enable_retries': 0,
  'grpc.enable_http_proxy': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc-node.flow_control_window': 1024 * 1024,
};
