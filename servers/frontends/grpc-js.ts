import { Server, ServerCredentials } from '@grpc/grpc-js';
import { messageOf } from '../../results/errors.js';
import type { InferenceService } from '../protocol/index.js';
import type { Frontend, FrontendDefinition, FrontendOptions } from './contract.js';
import { grpcJsControls, grpcJsInfer } from './grpc-js-methods.js';
import { CallObserver } from './grpc-js-session.js';
import { addServices } from './grpc-services.js';
import { cannotListen } from './listening.js';

/** The same service through the library grpc-js: a check on our own engine, and what other servers in Node cost. */
export const grpcJs = {
  name: 'grpc-js',
  summary: 'as grpc, through the library @grpc/grpc-js: a second opinion on our engine',
  async start(service: InferenceService, options: FrontendOptions): Promise<Frontend> {
    const observer = new CallObserver();
    const server = new Server({
      'grpc.max_receive_message_length': options.limits.maxBodyBytes,
      'grpc.max_send_message_length': -1,
      interceptors: [observer.interceptor],
    });
    const methods = { ...grpcJsControls(service), ModelInfer: grpcJsInfer(service, observer) };
    const stopServices = addServices(server, service, methods);
    const host = options.host.includes(':') ? `[${options.host}]` : options.host;
    const port = await bind(server, host, options.port);
    return { address: `${host}:${port}`, port, close: () => close(server, stopServices) };
  },
} as const satisfies FrontendDefinition;

function bind(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(cannotListen(`gRPC frontend at ${host}:${port}`, messageOf(error), error));
      else resolve(bound);
    });
  });
}

/** Calls in flight end first; clients are told to go away. */
function close(server: Server, stopServices: () => void): Promise<void> {
  stopServices();
  return new Promise((resolve, reject) => {
    server.tryShutdown((error) => (error ? reject(error) : resolve()));
  });
}
