import { z } from 'zod';
import { duration } from '../../results/units.js';
import { balancerShape } from '../strategies/support/balancer.js';
import { count } from '../strategies/support/options.js';

const { algorithm, maxFails, failTimeout } = balancerShape;

/** What a gateway does with every request, whatever its route. Names and defaults are NGINX's where it has them. */
export const balancingSchema = z.strictObject({
  algorithm: algorithm.describe('how a replica is picked'),
  level: z
    .enum(['request', 'connection'])
    .default('request')
    .describe('pick for every request, or once for a client connection, as a TCP balancer does'),
  maxFails: maxFails.describe(
    'failures within failTimeout after which a replica is left out for failTimeout; 0 = never',
  ),
  failTimeout,
  retries: count().max(10).default(1).describe('further replicas that a failed request is tried on'),
  retryOn: z
    .array(z.enum(['connect', 'reset', 'unavailable', 'timeout']))
    .default(['connect', 'reset', 'unavailable'])
    .describe('no connection; a connection lost before any byte of the answer; HTTP 503; no answer in time'),
  timeout: duration().default(60e9).describe('until the first byte of an answer, and between two reads of it'),
  maxConnections: z.number().int().positive().default(256).describe('to one replica'),
  maxBuffered: count()
    .default(1024 ** 2)
    .describe('a request of more bytes is streamed: never tried again, never copied'),
  maxHeld: count().default(1000).describe('requests that wait while there is no replica at all'),
  userHeader: z.string().default('servemark-user').describe('names who a request is for; without it each is its own'),
});

export type Balancing = z.output<typeof balancingSchema>;
