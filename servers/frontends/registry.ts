import type { FrontendDefinition } from './contract.js';
import { grpc } from './grpc.js';
import { rest } from './rest.js';

/** Every frontend: one import and one line. */
export const frontends = [rest, grpc] as const satisfies readonly FrontendDefinition[];
