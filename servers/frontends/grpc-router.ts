import type { MethodDefinition, UntypedHandleCall } from '@grpc/grpc-js';
import type { ServiceHost } from './grpc-services.js';

/** One method of a service: how its messages are coded, and what answers it, both as grpc-js defines them. */
export interface GrpcRoute {
  readonly definition: MethodDefinition<object, object>;
  readonly handler: UntypedHandleCall;
}

/** Takes services as grpc-js's server does, and finds their methods by path. */
export class GrpcRouter implements ServiceHost {
  private readonly routes = new Map<string, GrpcRoute>();

  readonly addService: ServiceHost['addService'] = (service, methods) => {
    for (const [name, definition] of Object.entries(service)) {
      const handler = methods[name] ?? methods[definition.originalName ?? ''];
      if (handler) this.routes.set(definition.path, { definition, handler });
    }
  };

  /** `/inference.GRPCInferenceService/ServerLive`. */
  find(path: string): GrpcRoute | undefined {
    return this.routes.get(path);
  }
}
