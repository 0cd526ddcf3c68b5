import { fileURLToPath } from 'node:url';
import { loadSync, type PackageDefinition, type ServiceDefinition } from '@grpc/proto-loader';
import { packageRoot } from '../../results/package.js';

export const SERVICE_NAME = 'inference.GRPCInferenceService';

/**
 * inference.proto, loaded together with `others`: what reflection answers from. Names stay as they are; 64-bit integers
 * become numbers.
 */
export function loadInferenceProto(others: readonly string[] = []): PackageDefinition {
  const files = [inferenceProtoPath(), ...others];
  return loadSync(files, { keepCase: true, longs: Number, enums: String, defaults: true, oneofs: true });
}

/**
 * The service's methods for grpc-js, server or client. Control methods speak plain objects spelt as in inference.proto;
 * ModelInfer passes the message's bytes through, so that it can be coded by grpc-codec.ts where errors can be answered.
 */
export function inferenceService(proto: PackageDefinition = loadInferenceProto()): ServiceDefinition {
  const service = proto[SERVICE_NAME] as ServiceDefinition;
  const raw = (message: unknown) => message as Buffer;
  return {
    ...service,
    ModelInfer: {
      ...service.ModelInfer!,
      requestSerialize: raw,
      requestDeserialize: raw,
      responseSerialize: raw,
      responseDeserialize: raw,
    },
  };
}

/** The file lies beside the sources, also where the compiled code is elsewhere. */
export function inferenceProtoPath(): string {
  return fileURLToPath(new URL('servers/protocol/inference.proto', packageRoot));
}
