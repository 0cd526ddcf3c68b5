import { checked } from '../../results/lookup.js';
import { FastRandom } from '../../results/stats/index.js';
import { type CostTable, costModel, instanceList, strategyContext } from '../executors/index.js';
import type {
  Execute,
  InstanceInfo,
  Nanos,
  Strategy,
  StrategyContext,
  StrategyDefinition,
} from '../strategies/index.js';
import { createStrategy, strategyNamed } from '../strategies/index.js';
import type { Autoscaler } from './autoscale.js';
import { Histogram } from './histogram.js';
import { LeastKeys } from './least.js';
import { createPicker, type Picker, type PickerName } from './pick.js';
import { PlainQueues } from './plain.js';
import { type FleetWindow, Timeline } from './timeline.js';

/** A fleet and what it is to live through. Durations in integer ns. */
export interface FleetSpec {
  readonly strategy: { readonly name: string; readonly options: Readonly<Record<string, unknown>> };
  readonly cost: CostTable;
  readonly replicas: {
    /** Ready at time 0. */
    readonly initial: number;
    /** There are never more, ready and starting together. */
    readonly max: number;
    /** From the order to the first request. */
    readonly startUpNs: Nanos;
    /** Instances of the model in each. */
    readonly instances: number;
    /** Duration factors that replicas have in turn; default all 1. */
    readonly speeds?: readonly number[] | undefined;
  };
  readonly picker: PickerName;
  readonly autoscaler?: { readonly scale: Autoscaler; readonly intervalNs: Nanos } | undefined;
  /** The next gap in ns at each call; the first request arrives after the first gap. */
  readonly nextGapNs: () => Nanos;
  /** Arrivals stop here, or after so many; what is under way is finished. */
  readonly durationNs: Nanos;
  readonly maxRequests?: number | undefined;
  /** Answers within it count as good. */
  readonly objectiveNs: Nanos;
  /** Points of the timeline; default 240. */
  readonly windows?: number | undefined;
  readonly seed: bigint;
  /** Every replica has its strategy's own state machine, also where columns would do the same faster. */
  readonly objects?: boolean | undefined;
}

export interface FleetResult {
  readonly offered: number;
  readonly answered: number;
  readonly rejected: number;
  /** Rejected because no replica was up. */
  readonly unserved: number;
  /** Answers within the objective. */
  readonly good: number;
  readonly latency: Histogram;
  readonly executions: number;
  readonly rows: number;
  /** Time that instances computed. */
  readonly busyNs: Nanos;
  /** Arrivals, ends of executions, timers, looks of the autoscaler, starts of replicas. */
  readonly events: number;
  readonly endNs: Nanos;
  /** Replica-seconds from the order to the end. */
  readonly replicaSeconds: number;
  readonly peakReplicas: number;
  /** Most requests at one time: what memory is bounded by. */
  readonly peakInFlight: number;
  readonly windows: readonly FleetWindow[];
}

/** Lives through it, in virtual time. Throws where a strategy breaks its contract. */
export function simulateFleet(spec: FleetSpec): FleetResult {
  return new Fleet(spec).run();
}

enum State {
  Unused,
  Starting,
  Ready,
  /** Takes no more; ends when it is empty. */
  Draining,
}

/** A request of the fleet. Objects are used again once they are answered; the id is unique among those in flight. */
interface FleetRequest {
  readonly id: string;
  at: Nanos;
  readonly rows: number;
}

/** Throws UserError where the strategy or an option is wrong, as making it does. */
function plainness({ name, options }: FleetSpec['strategy']): ReturnType<NonNullable<StrategyDefinition['plain']>> {
  const definition: StrategyDefinition = strategyNamed(name, 'strategy');
  return definition.plain?.(checked(definition.options, options, `strategy ${name}`));
}

interface Costs {
  readonly durationOf: (execution: Execute) => Nanos;
  readonly oneRowNs: Nanos;
  readonly context: StrategyContext;
}

class Fleet {
  // Of each replica, in columns: at thousands of them what an event costs is how much memory it looks at.
  readonly #strategies: (Strategy | undefined)[];
  readonly #states: Uint8Array;
  readonly #inHand: Int32Array;
  readonly #orderedNs: Float64Array;
  /** Of each instance of each replica: when its execution ends, and what it runs. */
  readonly #ends: Float64Array;
  readonly #executions: (Execute | undefined)[];
  readonly #instances: number;
  /** In place of strategies and executions, where the strategy is plain. */
  readonly #plain: PlainQueues | undefined;
  /** Of a plain one: instances that it uses. */
  readonly #used: number;
  readonly #costs = new Map<number, Costs>();
  readonly #costsOf: (Costs | undefined)[];
  /** Of each replica: its next end of an execution, its next timer, the start of it. */
  readonly #next: LeastKeys;
  readonly #picker: Picker;
  readonly #latency = new Histogram();
  readonly #timeline: Timeline;
  readonly #pool: FleetRequest[] = [];
  /** Replicas that something happened to at this instant; polled after all of it. */
  #touched = new Int32Array(64);
  #touchedCount = 0;
  #ids = 0;
  #now: Nanos = 0;
  #wanted = 0;
  #ready = 0;
  #inFlight = 0;
  #running = 0;
  #offered = 0;
  #rejected = 0;
  #unserved = 0;
  #good = 0;
  #executed = 0;
  #rows = 0;
  #events = 0;
  #peakReplicas = 0;
  #peakInFlight = 0;
  #replicaNs = 0;
  #busyNs = 0;
  #lastLook = { at: 0, busyNs: 0, offered: 0, readyNs: 0 };
  #readyNs = 0;
  #readySince = 0;

  constructor(readonly spec: FleetSpec) {
    const { max, instances } = spec.replicas;
    this.#instances = instances;
    this.#strategies = new Array<Strategy | undefined>(max).fill(undefined);
    this.#states = new Uint8Array(max);
    this.#inHand = new Int32Array(max);
    this.#orderedNs = new Float64Array(max);
    this.#ends = new Float64Array(max * instances).fill(Number.POSITIVE_INFINITY);
    this.#executions = new Array<Execute | undefined>(max * instances).fill(undefined);
    const plain = spec.objects ? undefined : plainness(spec.strategy);
    this.#plain = plain && new PlainQueues(max, max * instances, plain.limit);
    this.#used = Math.min(instances, plain?.instances ?? instances);
    this.#costsOf = new Array<Costs | undefined>(max).fill(undefined);
    this.#next = new LeastKeys(max);
    this.#picker = createPicker(spec.picker, max, new FastRandom(spec.seed));
    this.#timeline = new Timeline(spec.durationNs, spec.windows ?? 240, spec.objectiveNs);
    for (let replica = 0; replica < Math.min(spec.replicas.initial, max); replica++) {
      this.#order(replica);
      this.#start(replica);
    }
  }

  run(): FleetResult {
    const { durationNs, maxRequests = Number.POSITIVE_INFINITY, nextGapNs, autoscaler } = this.spec;
    let arrival = nextGapNs();
    let look = autoscaler ? autoscaler.intervalNs : Number.POSITIVE_INFINITY;
    for (;;) {
      if (arrival > durationNs || this.#offered >= maxRequests) arrival = Number.POSITIVE_INFINITY;
      if (look > durationNs) look = Number.POSITIVE_INFINITY;
      const now = Math.min(this.#next.leastKey(), arrival, look);
      if (now === Number.POSITIVE_INFINITY) break;
      this.#now = now;
      this.#timeline.advance(now, this.#ready, this.#wanted, this.#inFlight);
      // Nothing arrives now: replicas know nothing of each other, and one after the other may end and begin what it has.
      if (now < arrival && now < look) {
        const id = this.#next.leastId();
        this.#replicaEvent(id, now);
        this.#poll(id, now);
        continue;
      }
      while (this.#next.leastKey() === now) {
        const id = this.#next.leastId();
        this.#next.set(id, Number.POSITIVE_INFINITY);
        this.#replicaEvent(id, now);
        this.#touch(id);
      }
      while (arrival === now) {
        this.#arrive(now);
        arrival += nextGapNs();
        if (arrival > durationNs || this.#offered >= maxRequests) arrival = Number.POSITIVE_INFINITY;
      }
      if (look === now) {
        this.#events++;
        this.#look(now);
        look += autoscaler!.intervalNs;
      }
      this.#pollTouched(now);
    }
    return this.#result();
  }

  /** Something is due at a replica: it is up, executions end, or it asked to be woken. */
  #replicaEvent(id: number, now: Nanos): void {
    if (this.#states[id] === State.Starting) {
      this.#events++;
      this.#start(id);
      return;
    }
    let ended = false;
    const first = id * this.#instances;
    for (let place = first; place < first + this.#instances; place++)
      if (this.#ends[place] === now) {
        ended = true;
        this.#end(id, place, now);
      }
    if (!ended) this.#events++;
  }

  #end(id: number, place: number, now: Nanos): void {
    if (this.#plain) {
      this.#ends[place] = Number.POSITIVE_INFINITY;
      this.#running--;
      this.#events++;
      this.#answered(id, now - this.#plain.end(place));
      return;
    }
    const execution = this.#executions[place]!;
    this.#executions[place] = undefined;
    this.#ends[place] = Number.POSITIVE_INFINITY;
    this.#running--;
    this.#events++;
    if (!execution.hold) for (const request of execution.requests) this.#answer(id, request as FleetRequest, now);
    this.#strategies[id]!.finished(execution, now, true);
  }

  #arrive(now: Nanos): void {
    this.#events++;
    this.#offered++;
    this.#timeline.offered();
    const id = this.#picker.pick();
    if (id < 0) {
      this.#rejected++;
      this.#unserved++;
      this.#timeline.rejected();
      return;
    }
    if (!(this.#plain ? this.#plain.offer(id, now) : this.#offer(id, now))) {
      this.#rejected++;
      this.#timeline.rejected();
      return;
    }
    if (++this.#inFlight > this.#peakInFlight) this.#peakInFlight = this.#inFlight;
    this.#picker.changed(id, ++this.#inHand[id]!);
    this.#touch(id);
  }

  #offer(id: number, now: Nanos): boolean {
    const request = this.#pool.pop() ?? { id: String(this.#ids++), at: now, rows: 1 };
    request.at = now;
    if (this.#strategies[id]!.offer(request, now) === undefined) return true;
    this.#pool.push(request);
    return false;
  }

  #answer(id: number, request: FleetRequest, now: Nanos): void {
    this.#pool.push(request);
    this.#answered(id, now - request.at);
  }

  #answered(id: number, latency: Nanos): void {
    this.#latency.add(latency);
    if (latency <= this.spec.objectiveNs) this.#good++;
    this.#timeline.answered(latency);
    this.#release(id);
  }

  #release(id: number): void {
    this.#inFlight--;
    this.#picker.changed(id, --this.#inHand[id]!);
  }

  #touch(id: number): void {
    if (this.#touchedCount === this.#touched.length) {
      const larger = new Int32Array(this.#touched.length * 2);
      larger.set(this.#touched);
      this.#touched = larger;
    }
    this.#touched[this.#touchedCount++] = id;
  }

  #pollTouched(now: Nanos): void {
    for (let i = 0; i < this.#touchedCount; i++) this.#poll(this.#touched[i]!, now);
    this.#touchedCount = 0;
  }

  #poll(id: number, now: Nanos): void {
    if (this.#plain) this.#next.set(id, this.#beginPlain(id, this.#plain, now));
    else this.#pollStrategy(id, now);
    if (this.#states[id] === State.Draining && this.#inHand[id] === 0) this.#stop(id, now);
  }

  /** What can begin begins; answers when the next execution ends. */
  #beginPlain(id: number, plain: PlainQueues, now: Nanos): Nanos {
    const first = id * this.#instances;
    for (let place = first; place < first + this.#used; place++)
      if (plain.begin(id, place)) this.#began(place, 1, this.#costsOf[id]!.oneRowNs, now);
    return this.#nextEnd(id);
  }

  #pollStrategy(id: number, now: Nanos): void {
    const strategy = this.#strategies[id]!;
    for (let action = strategy.poll(now); action !== undefined; action = strategy.poll(now)) {
      if (action.kind === 'execute') this.#execute(id, action, now);
      else if (action.kind === 'respond') this.#answer(id, action.request as FleetRequest, now);
      else if (action.kind === 'reject') {
        this.#rejected++;
        this.#timeline.rejected();
        this.#pool.push(action.request as FleetRequest);
        this.#release(id);
      } else throw new Error(`a fleet's replicas can't ${action.kind}; choose another strategy`);
    }
    const wake = strategy.wakeAt() ?? Number.POSITIVE_INFINITY;
    if (wake <= now) throw new Error(`the strategy asks to be woken at ${wake} ns, not later than now, ${now} ns`);
    this.#next.set(id, Math.min(this.#nextEnd(id), wake));
  }

  #nextEnd(id: number): Nanos {
    const ends = this.#ends;
    const first = id * this.#instances;
    let least = ends[first]!;
    for (let place = first + 1; place < first + this.#instances; place++) least = Math.min(least, ends[place]!);
    return least;
  }

  #execute(id: number, execution: Execute, now: Nanos): void {
    const place = id * this.#instances + execution.instance;
    if (this.#executions[place]) throw new Error(`instance ${execution.instance} is busy`);
    this.#executions[place] = execution;
    this.#began(place, execution.rows, this.#costsOf[id]!.durationOf(execution), now);
  }

  #began(place: number, rows: number, duration: Nanos, now: Nanos): void {
    this.#ends[place] = now + duration;
    this.#busyNs += duration;
    this.#executed++;
    this.#rows += rows;
    this.#running++;
  }

  /** Asks the autoscaler and orders or closes replicas. */
  #look(now: Nanos): void {
    const { autoscaler, replicas } = this.spec;
    const seconds = (now - this.#lastLook.at) / 1e9;
    const readyNs = this.#readyNs + this.#ready * (now - this.#readySince) - this.#lastLook.readyNs;
    const answer = autoscaler!.scale({
      at: now,
      ready: this.#ready,
      wanted: this.#wanted,
      inFlight: this.#inFlight,
      waiting: Math.max(0, this.#inFlight - this.#running),
      utilization:
        readyNs > 0 ? Math.min(1, (this.#busyNs - this.#lastLook.busyNs) / (readyNs * replicas.instances)) : 0,
      ratePerSecond: seconds > 0 ? (this.#offered - this.#lastLook.offered) / seconds : 0,
    });
    this.#countReady(now);
    this.#lastLook = { at: now, busyNs: this.#busyNs, offered: this.#offered, readyNs: this.#readyNs };
    const wanted = Math.min(replicas.max, Math.max(0, answer));
    for (let id = 0; this.#wanted < wanted && id < replicas.max; id++)
      if (this.#states[id] === State.Unused) {
        this.#order(id);
        if (replicas.startUpNs === 0) this.#start(id);
        else this.#next.set(id, now + replicas.startUpNs);
      }
    for (let id = replicas.max - 1; this.#wanted > wanted && id >= 0; id--) this.#giveUp(id, now);
  }

  #order(id: number): void {
    this.#costsOf[id] ??= this.#costsFor(id);
    if (!this.#plain) this.#strategies[id] ??= this.#make(id);
    this.#states[id] = State.Starting;
    this.#orderedNs[id] = this.#now;
    this.#wanted++;
    if (this.#wanted > this.#peakReplicas) this.#peakReplicas = this.#wanted;
  }

  #make(id: number): Strategy {
    const { name, options } = this.spec.strategy;
    return createStrategy(name, options, this.#costsOf[id]!.context);
  }

  #costsFor(id: number): Costs {
    const { speeds } = this.spec.replicas;
    return this.#costsAt(speeds?.[id % speeds.length] ?? 1);
  }

  /** Replicas of one speed share what a strategy plans with. */
  #costsAt(speed: number): Costs {
    const known = this.#costs.get(speed);
    if (known) return known;
    const { replicas, cost } = this.spec;
    const instances: InstanceInfo[] = instanceList(Array.from({ length: replicas.instances }, () => ({ speed })));
    const model = costModel(instances, { cost });
    const context = strategyContext(instances, model);
    const costs = { durationOf: model.durationOf, oneRowNs: model.costOn(0, 1), context };
    this.#costs.set(speed, costs);
    return costs;
  }

  #start(id: number): void {
    this.#states[id] = State.Ready;
    this.#countReady(this.#now);
    this.#ready++;
    this.#picker.open(id);
  }

  /** The newest first: those that are still starting, then those that are ready, which finish what they have. */
  #giveUp(id: number, now: Nanos): void {
    const state = this.#states[id];
    if (state !== State.Starting && state !== State.Ready) return;
    this.#wanted--;
    if (state === State.Starting) {
      this.#next.set(id, Number.POSITIVE_INFINITY);
      this.#stop(id, now);
      return;
    }
    this.#countReady(now);
    this.#ready--;
    this.#picker.close(id);
    this.#states[id] = State.Draining;
    if (this.#inHand[id] === 0) this.#stop(id, now);
  }

  #stop(id: number, now: Nanos): void {
    this.#states[id] = State.Unused;
    this.#replicaNs += now - this.#orderedNs[id]!;
  }

  #countReady(now: Nanos): void {
    this.#readyNs += this.#ready * (now - this.#readySince);
    this.#readySince = now;
  }

  #result(): FleetResult {
    const endNs = this.#now;
    for (let id = 0; id < this.#states.length; id++)
      if (this.#states[id] !== State.Unused) this.#replicaNs += endNs - this.#orderedNs[id]!;
    return {
      offered: this.#offered,
      answered: this.#latency.count,
      rejected: this.#rejected,
      unserved: this.#unserved,
      good: this.#good,
      latency: this.#latency,
      executions: this.#executed,
      rows: this.#rows,
      busyNs: this.#busyNs,
      events: this.#events,
      endNs,
      replicaSeconds: this.#replicaNs / 1e9,
      peakReplicas: this.#peakReplicas,
      peakInFlight: this.#peakInFlight,
      windows: this.#timeline.finish(endNs, this.#ready, this.#wanted, this.#inFlight),
    };
  }
}
