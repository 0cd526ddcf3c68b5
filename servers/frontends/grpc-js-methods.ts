import {
  type handleUnaryCall,
  Metadata,
  type ServiceDefinition,
  type ServiceError,
  type sendUnaryData,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { nowNs } from '../../results/clock.js';
import { messageOf } from '../../results/errors.js';
import { ProtocolError } from '../protocol/errors.js';
import { encodeGrpcResponse } from '../protocol/grpc-codec.js';
import type { InferenceService, InferOutcome, InferRequest } from '../protocol/index.js';
import type { CallObserver } from './grpc-js-session.js';
import { controlMethods, startInfer, type Target } from './grpc-methods.js';
import { REASON_KEY, statusOf } from './grpc-status.js';

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

/** The control methods as grpc-js calls them, from a `lenient` definition. */
export function grpcJsControls(service: InferenceService): UntypedServiceImplementation {
  return Object.fromEntries(Object.entries(controlMethods(service)).map(([name, answer]) => [name, control(answer)]));
}

/** ModelInfer as grpc-js calls it; messages are bytes (see inferenceService). */
export function grpcJsInfer(service: InferenceService, observer: CallObserver): handleUnaryCall<Buffer, Buffer> {
  return (call, callback) => {
    let answered = false;
    const receivedNs = observer.receivedNs(call.metadata);
    const ticket = startInfer(service, call.request, receivedNs, (outcome, request) => {
      answered = true;
      answer(request, outcome, receivedNs, callback);
    });
    if (answered) return;
    // Also emitted when a call has ended well.
    call.once('cancelled', () => {
      if (!answered) ticket?.cancel();
    });
  };
}

function answer(
  request: InferRequest | undefined,
  outcome: InferOutcome,
  receivedNs: number,
  callback: sendUnaryData<Buffer>,
): void {
  try {
    if (!outcome.ok) throw outcome.error;
    callback(null, encodeGrpcResponse(request!, outcome.response, outcome.timings, nowNs(), receivedNs));
  } catch (error) {
    callback(serviceError(error));
  }
}

function control(
  answerOf: (target: Target) => object | Promise<object>,
): handleUnaryCall<Partial<Target> | ProtocolError, object> {
  return (call, callback) => {
    const fail = (error: unknown) => callback(serviceError(error));
    try {
      if (call.request instanceof ProtocolError) throw call.request;
      const { name = '', version, ready = false, model_name = '', parameters = {} } = call.request;
      const answer = answerOf({ name, version: version || undefined, ready, model_name, parameters });
      if (answer instanceof Promise) answer.then((later: object) => callback(null, later), fail);
      else callback(null, answer);
    } catch (error) {
      fail(error);
    }
  };
}

function serviceError(error: unknown): Pick<ServiceError, 'code' | 'details' | 'metadata'> {
  const { code, details, reason } = statusOf(error);
  const metadata = new Metadata();
  if (reason !== undefined) metadata.set(REASON_KEY, reason);
  return { code, details, metadata };
}
