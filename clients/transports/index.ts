export type {
  CallHandle,
  CallOutcome,
  CallResult,
  Encoded,
  Transport,
  TransportDefinition,
  TransportOptions,
} from './contract.js';
export { createTransport, transportNamed, transports } from './registry.js';
