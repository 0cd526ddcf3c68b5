import type { InferenceService } from '../protocol/index.js';
import type { Frontend, FrontendDefinition, FrontendOptions } from './contract.js';
import { Http1Server } from './http1-server.js';
import { route } from './rest-routes.js';

/** KServe v2 over HTTP/1.1: JSON and the binary tensor extension. Source: Open Inference Protocol, "HTTP/REST". */
export const rest = {
  name: 'rest',
  summary: 'KServe v2 over HTTP/1.1: JSON, binary tensors, Triton’s config and statistics, Prometheus metrics',
  async start(service: InferenceService, { host, port, limits, metrics }: FrontendOptions): Promise<Frontend> {
    const context = { service, metrics };
    const server = await Http1Server.start('REST frontend', {
      host,
      port,
      maxHeadBytes: limits.maxHeaderBytes,
      maxBodyBytes: limits.maxBodyBytes,
      handle: (exchange) => route(context, exchange),
    });
    const name = host.includes(':') ? `[${host}]` : host;
    return { address: `http://${name}:${server.port}`, port: server.port, close: () => server.close() };
  },
} as const satisfies FrontendDefinition;
