export type {
  CallHandle,
  CallResult,
  Encoded,
  Transport,
} from './contract.js';
export { createTransport, transportNamed, transports } from './registry.js';
