import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadSync, type PackageDefinition, type ServiceDefinition } from '@grpc/proto-loader';

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

/** The file lies beside the sources, also where the compiled code is elsewhere: found from the package's root. */
export function inferenceProtoPath(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(folder, 'package.json'))) {
    const parent = path.dirname(folder);
    if (parent === folder) throw new Error('servers/protocol/inference.proto: no package.json above this module');
    folder = parent;
  }
  return path.join(folder, 'servers', 'protocol', 'inference.proto');
}
