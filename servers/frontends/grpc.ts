import { Server, ServerCredentials } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { protoPath as healthProtoPath } from 'grpc-health-check';
import { messageOf, UserError } from '../../results/errors.js';
import { inferenceService, loadInferenceProto } from '../protocol/grpc-service.js';
import type { InferenceService } from '../protocol/index.js';
import type { Frontend, FrontendDefinition, FrontendOptions } from './contract.js';
import { withMapEntryNames } from './grpc-descriptors.js';
import { addHealth } from './grpc-health.js';
import { grpcMethods, lenient } from './grpc-methods.js';
import { CallObserver } from './grpc-session.js';

/** KServe v2 over gRPC with grpc-js; ModelInfer by our own codec. Source: Open Inference Protocol, "gRPC". */
export const grpc = {
  name: 'grpc',
  summary: 'KServe v2 over gRPC: raw and typed tensors, Triton’s config and statistics, reflection, health',
  async start(service: InferenceService, options: FrontendOptions): Promise<Frontend> {
    const observer = new CallObserver();
    const server = new Server({
      'grpc.max_receive_message_length': options.limits.maxBodyBytes,
      'grpc.max_send_message_length': -1,
      interceptors: [observer.interceptor],
    });
    const proto = loadInferenceProto([healthProtoPath]);
    server.addService(lenient(inferenceService(proto)), grpcMethods(service, observer));
    new ReflectionService(withMapEntryNames(proto)).addToServer(server);
    const stopHealth = addHealth(server, service);
    const host = options.host.includes(':') ? `[${options.host}]` : options.host;
    const port = await bind(server, host, options.port);
    return { address: `${host}:${port}`, port, close: () => close(server, stopHealth) };
  },
} as const satisfies FrontendDefinition;

function bind(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, ServerCredentials.createInsecure(), (error, bound) => {
      if (!error) return resolve(bound);
      const place = `gRPC frontend at ${host}:${port}`;
      const remedy = 'Choose another port, or 0 for any free one';
      reject(new UserError({ place, found: `cannot listen: ${messageOf(error)}`, remedy }, { cause: error }));
    });
  });
}

/** Calls in flight end first; clients are told to go away. */
function close(server: Server, stopHealth: () => void): Promise<void> {
  stopHealth();
  return new Promise((resolve, reject) => {
    server.tryShutdown((error) => (error ? reject(error) : resolve()));
  });
}
