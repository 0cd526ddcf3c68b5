import type { Server, UntypedServiceImplementation } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { protoPath as healthProtoPath } from 'grpc-health-check';
import { inferenceService, loadInferenceProto } from '../protocol/grpc-service.js';
import type { InferenceService } from '../protocol/index.js';
import { withMapEntryNames } from './grpc-descriptors.js';
import { addHealth } from './grpc-health.js';
import { lenient } from './grpc-js-methods.js';

/** What takes services as grpc-js's server does: that server, or our own engine. */
export type ServiceHost = Pick<Server, 'addService'>;

/** Adds the inference service with these methods, reflection (v1 and v1alpha) and health. Returns what stops them. */
export function addServices(
  host: ServiceHost,
  service: InferenceService,
  methods: UntypedServiceImplementation,
): () => void {
  const proto = loadInferenceProto([healthProtoPath]);
  host.addService(lenient(inferenceService(proto)), methods);
  new ReflectionService(withMapEntryNames(proto)).addToServer(host);
  return addHealth(host, service);
}
