import type { handleUnaryCall, ServiceDefinition, sendUnaryData, UntypedServiceImplementation } from '@grpc/grpc-js';
import { nowNs } from '../../results/clock.js';
import { messageOf } from '../../results/errors.js';
import { ProtocolError } from '../protocol/errors.js';
import { decodeGrpcRequest, encodeGrpcResponse } from '../protocol/grpc-codec.js';
import type { InferenceService, InferOutcome, InferRequest } from '../protocol/index.js';
import type { CallObserver } from './grpc-session.js';
import { toStatus } from './grpc-status.js';
import { repositoryIndex } from './repository.js';

/**
 * The service's definition, with requests that cannot be decoded handed to the methods as an error: grpc-js would report
 * its own failure (INTERNAL) for what is the client's.
 */
export function lenient(definition: ServiceDefinition): ServiceDefinition {
  const methods = Object.entries(definition).map(([name, method]) => {
    const requestDeserialize = (bytes: Buffer): object => {
      try {
        return method.requestDeserialize(bytes) as object;
      } catch (error) {
        return new ProtocolError('INVALID_ARGUMENT', `malformed protobuf message: ${messageOf(error)}`);
      }
    };
    return [name, { ...method, requestDeserialize }] as const;
  });
  return Object.fromEntries(methods);
}

/** The methods of `inference.GRPCInferenceService` over a service. */
export function grpcMethods(service: InferenceService, observer: CallObserver): UntypedServiceImplementation {
  return {
    ModelInfer: modelInfer(service, observer),
    ServerLive: control(() => ({ live: service.live() })),
    ServerReady: control(() => ({ ready: service.ready() })),
    ServerMetadata: control(() => service.serverMetadata()),
    ModelReady: control(({ name, version }) => ({ ready: service.modelReady(name, version) })),
    ModelMetadata: control(({ name, version }) => service.modelMetadata(name, version)),
    ModelConfig: control(({ name, version }) => ({ config: service.modelConfig(name, version) })),
    ModelStatistics: control(({ name, version }) => ({
      model_stats: service.modelStatistics(name === '' ? undefined : name, version),
    })),
    RepositoryIndex: control(() => ({ models: repositoryIndex(service) })),
  };
}

/** Messages are bytes here (see inferenceService): what cannot be decoded is the client's fault and answered as such. */
function modelInfer(service: InferenceService, observer: CallObserver): handleUnaryCall<Buffer, Buffer> {
  return (call, callback) => {
    let answered = false;
    try {
      const request = decodeGrpcRequest(call.request);
      const ticket = service.infer(request, observer.receivedNs(call.metadata), (outcome) => {
        answered = true;
        answer(request, outcome, callback);
      });
      if (answered) return;
      // Also emitted when a call has ended well.
      call.once('cancelled', () => {
        if (!answered) ticket.cancel();
      });
    } catch (error) {
      callback(toStatus(error));
    }
  };
}

function answer(request: InferRequest, outcome: InferOutcome, callback: sendUnaryData<Buffer>): void {
  if (outcome.ok) callback(null, encodeGrpcResponse(request, outcome.response, outcome.timings, nowNs()));
  else callback(toStatus(outcome.error));
}

/** The requests of all control methods: both fields may be absent. An empty version is none. */
interface Target {
  readonly name: string;
  readonly version: string | undefined;
}

function control(answerOf: (target: Target) => object): handleUnaryCall<Partial<Target> | ProtocolError, object> {
  return (call, callback) => {
    try {
      if (call.request instanceof ProtocolError) throw call.request;
      callback(null, answerOf({ name: call.request.name ?? '', version: call.request.version || undefined }));
    } catch (error) {
      callback(toStatus(error));
    }
  };
}
