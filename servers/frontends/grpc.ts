import { nowNs } from '../../results/clock.js';
import { ProtocolError } from '../protocol/errors.js';
import { SERVICE_NAME } from '../protocol/grpc-service.js';
import type { Headers, Http2Stream, StreamSink } from '../protocol/http2/index.js';
import type { InferenceService } from '../protocol/index.js';
import type { Frontend, FrontendDefinition, FrontendLimits, FrontendOptions } from './contract.js';
import { hostCall } from './grpc-hosted-call.js';
import { serveInfer } from './grpc-infer.js';
import { grpcJsControls } from './grpc-js-methods.js';
import { GrpcListener, type RequestHandler } from './grpc-listener.js';
import { GrpcRouter } from './grpc-router.js';
import { addServices } from './grpc-services.js';
import { statusOf } from './grpc-status.js';
import { refuseCall, refuseHttp } from './grpc-wire.js';

/** KServe v2 over gRPC, on an engine of our own. Source: Open Inference Protocol, "gRPC". */
export const grpc = {
  name: 'grpc',
  summary: 'KServe v2 over gRPC: raw and typed tensors, Triton’s config and statistics, reflection, health',
  async start(service: InferenceService, options: FrontendOptions): Promise<Frontend> {
    const router = new GrpcRouter();
    const stopServices = addServices(router, service, grpcJsControls(service));
    const listener = new GrpcListener(options, handlerOf(service, router, options.limits));
    const port = await listener.listen();
    const host = options.host.includes(':') ? `[${options.host}]` : options.host;
    const close = (): Promise<void> => {
      stopServices();
      return listener.close();
    };
    return { address: `${host}:${port}`, port, close };
  },
} as const satisfies FrontendDefinition;

const MODEL_INFER = `/${SERVICE_NAME}/ModelInfer`;

function handlerOf(service: InferenceService, router: GrpcRouter, { maxBodyBytes }: FrontendLimits): RequestHandler {
  return (stream, headers) => {
    const receivedNs = nowNs();
    const fault = httpFault(headers);
    if (fault) return new HttpRefusal(stream, ...fault);
    const path = headers.get(':path')!;
    if (path === MODEL_INFER && isPlain(headers)) return serveInfer(service, stream, headers, maxBodyBytes, receivedNs);
    const route = router.find(path);
    if (route && isPlain(headers)) return hostCall(stream, route, maxBodyBytes);
    const found = route ? `grpc-encoding is ${headers.get('grpc-encoding')}` : `there is no method ${path}`;
    const expected = route ? 'none: send messages uncompressed' : `one of ${SERVICE_NAME}, reflection or health`;
    refuseCall(stream, statusOf(new ProtocolError('UNIMPLEMENTED', `${found}; expected ${expected}`)));
    return NOBODY;
  };
}

function isPlain(headers: Headers): boolean {
  return (headers.get('grpc-encoding') ?? 'identity') === 'identity';
}

/** Status and message for what is not gRPC. */
function httpFault(headers: Headers): [status: number, message: string] | undefined {
  if (headers.get(':method') !== 'POST') return [405, 'gRPC is spoken here; expected POST\n'];
  const type = headers.get('content-type');
  if (type?.startsWith('application/grpc')) return undefined;
  return [415, `Content-Type is ${type}; expected application/grpc\n`];
}

/** Nobody reads the rest of a call that has been refused. */
const NOBODY: StreamSink = { headers() {}, data() {}, ended() {}, broken() {} };

/** Lets a request pass, and refuses it when it is over: a client that is none of gRPC's waits for that. */
class HttpRefusal implements StreamSink {
  constructor(
    private readonly stream: Http2Stream,
    private readonly status: number,
    private readonly message: string,
  ) {}

  headers(): void {}
  data(): void {}
  broken(): void {}

  ended(): void {
    refuseHttp(this.stream, this.status, this.message);
  }
}
