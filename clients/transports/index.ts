export { chained } from './chain.js';
export type {
  CallHandle,
  CallResult,
  Encoded,
  Transport,
} from './contract.js';
export { requireLoopback } from './loopback.js';
export { createTransport, transportNamed, transports } from './registry.js';
