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
  /** kill: a second process, loaded and warm, takes over; without it real-time requests wait for the start of a new one. */
  spare: z.boolean().default(true),
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
    'Stage-level cooperative preemption in place of kernel preemption: a real-time request waits for the end of the stage that runs, on a CPU as on a device.',
    'Process-kill reset in place of flushing kernel queues: the process of the instance is killed; a spare one takes over (`spare`), or a new one is started. What the stages that ended had left was sent out of it and is gone on with.',
    'One instance. A real one reports a stage when it has ended; how far a killed execution got is what was reported, not what the profile expects.',
    'Leftover-core co-execution (best effort beside a real-time request, on processors that this leaves), which would stand for REEF’s dynamic kernel padding, is not done: one execution runs at a time, and processors are given to a whole server (`serverCpus`), not to a class.',
  ],
  unranked: 'it is about two classes of requests; with one class it is `serial`',
  options,
  examples: [{}, { mode: 'none' }, { mode: 'wait', stages: 6, depth: 4 }, { mode: 'kill', respawn: '1ms' }],
  usesProfile: true,
  stages: ({ mode, stages }) => (mode === 'none' ? 1 : stages),
  kills: ({ mode, spare }) => (mode === 'kill' ? { spare } : undefined),
  workConserving: ({ mode, respawn }) => mode !== 'kill' || respawn === 0,
  maxRows: () => 1,
  create: (given, context) => new ReefStage(given, context),
});

/** The best-effort request under way. */
interface UnderWay {
  readonly request: StrategyRequest;
  /** What all its stages take together. */
  readonly cost: Nanos;
  /** 1 where its model is not cut: it runs whole. */
  readonly stages: number;
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
    if (!ok || this.#running.to === this.#underWay!.stages) this.#underWay = undefined;
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
    if (request === undefined) return undefined;
    const stages = this.context.stagesOf?.(request.model) === 1 ? 1 : this.options.stages;
    return { request, cost: this.context.costOn(0, request.rows, request.model), stages, done: 0 };
  }

  #nextStages(underWay: UnderWay, start: Nanos): Execute {
    const { mode, depth } = this.options;
    const { request, stages, done } = underWay;
    const length = mode === 'wait' ? depth : mode === 'stage' ? 1 : stages;
    const to = Math.min(stages, done + length);
    this.#running = { start, to };
    const durationNs = timeOf(underWay, to) - timeOf(underWay, done);
    return {
      kind: 'execute',
      instance: 0,
      requests: [request],
      rows: request.rows,
      durationNs,
      stages: [done, to],
      hold: to < stages,
      ...(mode === 'kill' ? { killable: true } : {}),
    };
  }

  #mustKill(): boolean {
    return this.options.mode === 'kill' && this.#running !== undefined && this.#realTime.length > 0;
  }

  /** The stages completed by now are kept. */
  #kill(now: Nanos): Action {
    const underWay = this.#underWay!;
    const { start, to } = this.#running!;
    const begin = timeOf(underWay, underWay.done);
    while (underWay.done < to && timeOf(underWay, underWay.done + 1) - begin <= now - start) underWay.done++;
    this.#running = undefined;
    this.#busy = false;
    this.#ready = now + this.options.respawn;
    return { kind: 'kill', instance: 0 };
  }
}

/** Time from the request's beginning to the end of so many stages. */
function timeOf({ cost, stages }: UnderWay, ended: number): Nanos {
  return Math.floor((cost * ended) / stages);
}
