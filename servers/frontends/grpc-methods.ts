import { messageOf } from '../../results/errors.js';
import { ProtocolError } from '../protocol/errors.js';
import { decodeGrpcRequest } from '../protocol/grpc-codec.js';
import type { InferenceService, InferOutcome, InferRequest, InferTicket } from '../protocol/index.js';
import { repositoryIndex, repositoryOf } from './repository.js';

/** The requests of all control methods: fields may be absent. An empty version is none. */
export interface Target {
  readonly name: string;
  readonly version: string | undefined;
  /** RepositoryIndex: only those that are ready. */
  readonly ready: boolean;
  /** RepositoryModelLoad and -Unload. */
  readonly model_name: string;
  readonly parameters: Readonly<Record<string, RepositoryParameter>>;
}

/** One of its fields holds the value; `parameter_choice` says which. */
interface RepositoryParameter {
  readonly parameter_choice?: string;
  readonly [field: string]: unknown;
}

/**
 * The methods of `inference.GRPCInferenceService` but ModelInfer: what they answer, spelt as on the wire, perhaps later. They
 * may throw.
 */
export function controlMethods(
  service: InferenceService,
): Readonly<Record<string, (target: Target) => object | Promise<object>>> {
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
    RepositoryIndex: ({ ready }) => ({ models: repositoryIndex(service, ready) }),
    RepositoryModelLoad: async ({ model_name, parameters }) => {
      const plain = Object.entries(parameters).map(([key, of]) => [key, of[of.parameter_choice ?? '']] as const);
      await repositoryOf(service).load(model_name, Object.fromEntries(plain));
      return {};
    },
    RepositoryModelUnload: async ({ model_name }) => {
      await repositoryOf(service).unload(model_name);
      return {};
    },
  };
}

/**
 * ModelInfer: decode and queue. `done` is called once, unless cancelled; what cannot be decoded is the client's fault.
 * `consumed` is called where nobody will read the message again.
 */
export function startInfer(
  service: InferenceService,
  message: Buffer,
  receivedNs: number,
  done: (outcome: InferOutcome, request: InferRequest | undefined) => void,
  consumed?: () => void,
): InferTicket | undefined {
  let request: InferRequest | undefined;
  try {
    request = decodeGrpcRequest(message, consumed);
    return service.infer(request, receivedNs, (outcome) => done(outcome, request));
  } catch (error) {
    const known = error instanceof ProtocolError ? error : new ProtocolError('INTERNAL', messageOf(error));
    done({ ok: false, error: known }, request);
    return undefined;
  }
}
