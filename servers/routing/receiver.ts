import type { Socket } from 'node:net';
import type { GatewayCounts } from '../../results/gateway.js';
import type { RouteChoice } from './contract.js';
import type { Forwarded, Sink } from './exchange.js';
import type { Comparison } from './mirror.js';
import type { Balancing } from './options.js';

/** What a gateway's doors, one a protocol, hand requests to. */
export interface Receiver {
  readonly balancing: Balancing;
  /** A request has come, of a user where it says so: where it goes. Once for each request. */
  choose(user: string | undefined): RouteChoice;
  /**
   * Sends it on. A body that is a stream is neither tried again nor copied. `sinkOf` makes who hears of the answer; where the
   * answer is to be held against a copy's it is told to that `Comparison` too. Answers how to give the request up.
   */
  send(choice: RouteChoice, request: Forwarded, socket: Socket, sinkOf: (comparison?: Comparison) => Sink): () => void;
  counts(): GatewayCounts;
}

/** An open port. */
export interface Door {
  readonly port: number;
  /** What is under way may end. */
  close(): Promise<void>;
}
