import type { FrontendDefinition } from './contract.js';
import { grpc } from './grpc.js';
import { grpcJs } from './grpc-js.js';
import { rest } from './rest.js';

/** Every frontend: one import and one line. */
export const frontends = [rest, grpc, grpcJs] as const satisfies readonly FrontendDefinition[];
