import type { BenchOptions, Figure } from './figure.js';
import { figureOf } from './figure.js';
import type { Sender } from './senders.js';

/** One who takes part in interleaved rounds. */
export interface Contestant {
  readonly name: string;
  /** At most so many µs. */
  readonly target?: number | undefined;
  /** Finds out how much fills a turn: the warm-up, too. */
  prepare(): Promise<void>;
  /** One turn; CPU µs a request. */
  turn(): Promise<number>;
  close(): Promise<void>;
}

/** How long one turn takes. */
const TURN_MS = 500;
const FIRST_REQUESTS = 50;

/**
 * CPU µs a request of each contestant, compared with the first. Rounds are interleaved, so that what the machine does
 * beside them meets all alike.
 */
export async function compete(
  group: string,
  contestants: readonly Contestant[],
  { rounds }: BenchOptions,
): Promise<Figure[]> {
  for (const contestant of contestants) await contestant.prepare();
  const costs = contestants.map((): number[] => []);
  for (let round = 0; round < rounds; round++)
    for (const [i, contestant] of contestants.entries()) costs[i]!.push(await contestant.turn());
  for (const contestant of contestants) await contestant.close();
  const first = { name: contestants[0]!.name, values: costs[0]! };
  return contestants.map(({ name, target }, i) =>
    figureOf(`${group}: ${name}`, 'µs CPU/request', costs[i]!, { target, peer: i === 0 ? undefined : first }),
  );
}

/** A sender of this process, and where the CPU time that counts is read (µs so far). */
export function contestant(sender: Sender, cpuMicros: () => Promise<number>, target?: number): Contestant {
  let requests = FIRST_REQUESTS;
  return {
    name: sender.name,
    target,
    async prepare() {
      for (; ; requests *= 2) {
        const begin = performance.now();
        await sender.send(requests);
        const elapsed = performance.now() - begin;
        // One that looks once a second whether it is done says nothing about its speed.
        if (sender.endsLate ? requests >= sender.endsLate : elapsed > TURN_MS) {
          if (!sender.endsLate) requests = Math.max(FIRST_REQUESTS, Math.round((requests * TURN_MS) / elapsed));
          return;
        }
      }
    },
    async turn() {
      const before = await cpuMicros();
      await sender.send(requests);
      return ((await cpuMicros()) - before) / requests;
    },
    close: () => sender.close(),
  };
}

/** CPU time of this process. */
export async function ownCpu(): Promise<number> {
  const { user, system } = process.cpuUsage();
  return user + system;
}
