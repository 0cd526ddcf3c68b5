import { z } from 'zod';
import { duration } from '../../results/units.js';
import {
  type Action,
  defineStrategy,
  type Execute,
  type Nanos,
  type Strategy,
  type StrategyContext,
  type StrategyRequest,
} from './contract.js';
import { ClientRound } from './support/client-round.js';
import { Fifo } from './support/fifo.js';
import { positive } from './support/options.js';

const options = z.strictObject({
  stages: positive().default(4),
  mode: z.enum(['none', 'wait', 'stage', 'kill']).default('stage'),
  depth: positive().default(2),
  respawn: duration().default(0),
});

type Options = z.output<typeof options>;

/**
 * Two classes on one instance: real-time requests overtake best-effort ones at the boundaries of the latters' stages, or
 * kill them. Best-effort clients take turns. Source: REEF's scheduler, with stages of a model in place of kernels.
 */
export const reefStage = defineStrategy({
  name: 'reef-stage',
  summary: 'Real-time requests overtake best-effort ones at stage boundaries, or kill them (one instance)',
  source: 'REEF, OSDI 2022',
  differs: [
    'Stages of a model stand in for GPU kernels: preemption is cooperative, between stages, and a kill ends the execution, not a kernel queue.',
    'One instance.',
  ],
  unranked: 'it is about two classes of requests; with one class it is `serial`',
  options,
  examples: [{}, { mode: 'none' }, { mode: 'wait', stages: 6, depth: 4 }, { mode: 'kill', respawn: '1ms' }],
  simulatedOnly: 'real instances run a model whole; stages need one that is cut',
  usesProfile: true,
  workConserving: ({ mode, respawn }) => mode !== 'kill' || respawn === 0,
  maxRows: () => 1,
  create: (given, context) => new ReefStage(given, context),
});

/** The best-effort request under way. */
interface UnderWay {
  readonly request: StrategyRequest;
  /** What all its stages take together. */
  readonly cost: Nanos;
  /** Stages that are done. */
  done: number;
}

class ReefStage implements Strategy {
  readonly #realTime = new Fifo<StrategyRequest>();
  readonly #bestEffort = new ClientRound();
  #underWay: UnderWay | undefined;
  /** The best-effort execution that runs, from `done` on, and its start. */
  #running: { readonly start: Nanos; readonly to: number } | undefined;
  #busy = false;
  /** Best effort may not start before. */
  #ready: Nanos = 0;
  #polledAt: Nanos = -1;

  constructor(
    readonly options: Options,
    readonly context: StrategyContext,
  ) {}

  offer(request: StrategyRequest): undefined {
    if (request.class === 'rt') this.#realTime.push(request);
    else this.#bestEffort.push(request);
  }

  finished(_execution: Execute, _now: Nanos, ok = true): void {
    this.#busy = false;
    if (this.#running === undefined) return;
    this.#underWay!.done = this.#running.to;
    if (!ok || this.#running.to === this.options.stages) this.#underWay = undefined;
    this.#running = undefined;
  }

  poll(now: Nanos): Action | undefined {
    this.#polledAt = now;
    if (this.#busy) return this.#mustKill() ? this.#kill(now) : undefined;
    const request = this.#realTime.shift();
    if (request !== undefined)
      return this.#start({ kind: 'execute', instance: 0, requests: [request], rows: request.rows });
    if (now < this.#ready) return undefined;
    this.#underWay ??= this.#next();
    return this.#underWay && this.#start(this.#nextStages(this.#underWay, now));
  }

  wakeAt(): Nanos | undefined {
    const work = this.#underWay !== undefined || this.#bestEffort.length > 0;
    return work && !this.#busy && this.#ready > this.#polledAt ? this.#ready : undefined;
  }

  cancel(request: StrategyRequest): boolean {
    return request.class === 'rt' ? this.#realTime.remove(request) : this.#bestEffort.remove(request);
  }

  waiting(): number {
    return this.#realTime.length + this.#bestEffort.length;
  }

  #start(execution: Execute): Execute {
    this.#busy = true;
    return execution;
  }

  #next(): UnderWay | undefined {
    const request = this.#bestEffort.shift();
    return request && { request, cost: this.context.costOn(0, request.rows, request.model), done: 0 };
  }

  #nextStages({ request, cost, done }: UnderWay, start: Nanos): Execute {
    const { mode, stages, depth } = this.options;
    const length = mode === 'wait' ? depth : mode === 'stage' ? 1 : stages;
    const to = Math.min(stages, done + length);
    this.#running = { start, to };
    const durationNs = this.#timeOf(cost, to) - this.#timeOf(cost, done);
    return {
      kind: 'execute',
      instance: 0,
      requests: [request],
      rows: request.rows,
      durationNs,
      stages: [done, to],
      hold: to < stages,
    };
  }

  #mustKill(): boolean {
    return this.options.mode === 'kill' && this.#running !== undefined && this.#realTime.length > 0;
  }

  /** The stages completed by now are kept. */
  #kill(now: Nanos): Action {
    const underWay = this.#underWay!;
    const { start, to } = this.#running!;
    const begin = this.#timeOf(underWay.cost, underWay.done);
    while (underWay.done < to && this.#timeOf(underWay.cost, underWay.done + 1) - begin <= now - start) underWay.done++;
    this.#running = undefined;
    this.#busy = false;
    this.#ready = now + this.options.respawn;
    return { kind: 'kill', instance: 0 };
  }

  /** Time from the request's beginning to the end of so many stages. */
  #timeOf(cost: Nanos, stages: number): Nanos {
    return Math.floor((cost * stages) / this.options.stages);
  }
}
