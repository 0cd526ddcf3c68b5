import { messageOf } from '../../results/errors.js';
import { ProtocolError } from '../protocol/errors.js';
import { decodeGrpcRequest } from '../protocol/grpc-codec.js';
import type { InferenceService, InferOutcome, InferRequest, InferTicket } from '../protocol/index.js';
import { repositoryIndex } from './repository.js';

/** The requests of all control methods: both fields may be absent. An empty version is none. */
export interface Target {
  readonly name: string;
  readonly version: string | undefined;
}

/** The methods of `inference.GRPCInferenceService` but ModelInfer: what they answer, spelt as on the wire. They may throw. */
export function controlMethods(service: InferenceService): Readonly<Record<string, (target: Target) => object>> {
  return {
    ServerLive: () => ({ live: service.live() }),
    ServerReady: () => ({ ready: service.ready() }),
    ServerMetadata: () => service.serverMetadata(),
    ModelReady: ({ name, version }) => ({ ready: service.modelReady(name, version) }),
    ModelMetadata: ({ name, version }) => service.modelMetadata(name, version),
    ModelConfig: ({ name, version }) => ({ config: service.modelConfig(name, version) }),
    ModelStatistics: ({ name, version }) => ({
      model_stats: service.modelStatistics(name === '' ? undefined : name, version),
    }),
    RepositoryIndex: () => ({ models: repositoryIndex(service) }),
  };
}

/** ModelInfer: decode and queue. `done` is called once, unless cancelled; what cannot be decoded is the client's fault. */
export function startInfer(
  service: InferenceService,
  message: Buffer,
  receivedNs: number,
  done: (outcome: InferOutcome, request: InferRequest | undefined) => void,
): InferTicket | undefined {
  let request: InferRequest | undefined;
  try {
    request = decodeGrpcRequest(message);
    return service.infer(request, receivedNs, (outcome) => done(outcome, request));
  } catch (error) {
    const known = error instanceof ProtocolError ? error : new ProtocolError('INTERNAL', messageOf(error));
    done({ ok: false, error: known }, request);
    return undefined;
  }
}
