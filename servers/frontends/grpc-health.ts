import type { UntypedHandleCall, UntypedServiceImplementation } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { SERVICE_NAME } from '../protocol/grpc-service.js';
import type { InferenceService } from '../protocol/index.js';
import type { ServiceHost } from './grpc-services.js';

/** How often watchers learn of a change; a check is answered from the service itself. */
const WATCH_PERIOD_MS = 500;

/**
 * `grpc.health.v1.Health` of the server ("") and of the inference service: SERVING while the service is ready. Returns
 * what stops it. Source: gRPC "Health Checking Protocol".
 */
export function addHealth(server: ServiceHost, service: InferenceService): () => void {
  const health = new HealthImplementation();
  let told = '';
  const refresh = () => {
    const status = service.live() && service.ready() ? 'SERVING' : 'NOT_SERVING';
    if (status === told) return;
    told = status;
    health.setStatus('', status);
    health.setStatus(SERVICE_NAME, status);
  };
  health.addToServer({
    addService(definition: Parameters<ServiceHost['addService']>[0], methods: UntypedServiceImplementation) {
      server.addService(definition, { ...methods, check: refreshed(methods.check!, refresh) });
    },
  });
  refresh();
  const timer = setInterval(refresh, WATCH_PERIOD_MS).unref();
  return () => clearInterval(timer);
}

function refreshed(check: UntypedHandleCall, refresh: () => void): UntypedHandleCall {
  const inner = check as (call: unknown, callback: unknown) => void;
  return ((call: unknown, callback: unknown) => {
    refresh();
    inner(call, callback);
  }) as UntypedHandleCall;
}
