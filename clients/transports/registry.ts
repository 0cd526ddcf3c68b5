import { lookUp } from '../../results/lookup.js';
import type { Transport, TransportDefinition, TransportOptions } from './contract.js';
import { grpc } from './grpc.js';
import { grpcJs } from './grpc-js.js';
import { inProcess } from './in-process.js';
import { requireLoopback } from './loopback.js';
import { rest } from './rest.js';
import { restBinary } from './rest-binary.js';
import { restUndici } from './rest-undici.js';

/** Every transport. One import and one line per addition. */
export const transports = [
  rest,
  restBinary,
  restUndici,
  grpc,
  grpcJs,
  inProcess,
] as const satisfies readonly TransportDefinition[];

/** The definition of that name. Throws UserError that lists all names. */
export function transportNamed(name: string, place = 'transport'): TransportDefinition {
  return lookUp<TransportDefinition>(transports, name, 'transport', place);
}

/** A connected client side. Throws UserError where the name is unknown or the address is not this machine's. */
export function createTransport(name: string, options: TransportOptions, place = 'transport'): Transport {
  const definition = transportNamed(name, place);
  if (definition.endpoint !== 'none') requireLoopback(options.url, `${place} ${name}`);
  return definition.create(options);
}
