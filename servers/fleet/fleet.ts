import { FastRandom } from '../../results/stats/index.js';
import { type CostTable, costModel, instanceList, strategyContext } from '../executors/index.js';
import type { Execute, InstanceInfo, Nanos, Strategy } from '../strategies/index.js';
import { createStrategy } from '../strategies/index.js';
import type { Autoscaler } from './autoscale.js';
import { IndexedHeap } from './heap.js';
import { Histogram } from './histogram.js';
import { createPicker, type Picker, type PickerName } from './pick.js';
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

class Replica {
  readonly running: (Execute | undefined)[];
  readonly ends: Float64Array;
  state: State = State.Unused;
  inHand = 0;
  orderedNs: Nanos = 0;

  constructor(
    readonly strategy: Strategy,
    readonly durationOf: (execution: Execute) => Nanos,
    instances: number,
  ) {
    this.running = new Array<Execute | undefined>(instances).fill(undefined);
    this.ends = new Float64Array(instances).fill(Number.POSITIVE_INFINITY);
  }

  nextEnd(): Nanos {
    const { ends } = this;
    let least = ends[0]!;
    for (let i = 1; i < ends.length; i++) if (ends[i]! < least) least = ends[i]!;
    return least;
  }
}

class Fleet {
  readonly #replicas: (Replica | undefined)[];
  /** Of each replica: its next end of an execution, its next timer, the start of it. */
  readonly #next: IndexedHeap;
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
  #executions = 0;
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
    const { max } = spec.replicas;
    this.#replicas = new Array<Replica | undefined>(max).fill(undefined);
    this.#next = new IndexedHeap(max);
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
      // Nearly always one thing happens at an instant: then the replica keeps its place in the heap until it has a new time.
      if (now < arrival && now < look && now < this.#next.secondKey()) {
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
    const replica = this.#replicas[id]!;
    if (replica.state === State.Starting) {
      this.#events++;
      this.#start(id);
      return;
    }
    let ended = false;
    for (let instance = 0; instance < replica.ends.length; instance++)
      if (replica.ends[instance] === now) {
        ended = true;
        this.#end(replica, id, instance, now);
      }
    if (!ended) this.#events++;
  }

  #end(replica: Replica, id: number, instance: number, now: Nanos): void {
    const execution = replica.running[instance]!;
    replica.running[instance] = undefined;
    replica.ends[instance] = Number.POSITIVE_INFINITY;
    this.#running--;
    this.#events++;
    if (!execution.hold)
      for (const request of execution.requests) this.#answer(replica, id, request as FleetRequest, now);
    replica.strategy.finished(execution, now, true);
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
    const replica = this.#replicas[id]!;
    const request = this.#pool.pop() ?? { id: String(this.#ids++), at: now, rows: 1 };
    request.at = now;
    if (replica.strategy.offer(request, now) !== undefined) {
      this.#rejected++;
      this.#timeline.rejected();
      this.#pool.push(request);
      return;
    }
    if (++this.#inFlight > this.#peakInFlight) this.#peakInFlight = this.#inFlight;
    this.#picker.changed(id, ++replica.inHand);
    this.#touch(id);
  }

  #answer(replica: Replica, id: number, request: FleetRequest, now: Nanos): void {
    const latency = now - request.at;
    this.#latency.add(latency);
    if (latency <= this.spec.objectiveNs) this.#good++;
    this.#timeline.answered(latency);
    this.#release(replica, id, request);
  }

  #release(replica: Replica, id: number, request: FleetRequest): void {
    this.#inFlight--;
    this.#picker.changed(id, --replica.inHand);
    this.#pool.push(request);
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
    const replica = this.#replicas[id]!;
    const { strategy } = replica;
    for (let action = strategy.poll(now); action !== undefined; action = strategy.poll(now)) {
      if (action.kind === 'execute') this.#execute(replica, action, now);
      else if (action.kind === 'respond') this.#answer(replica, id, action.request as FleetRequest, now);
      else if (action.kind === 'reject') {
        this.#rejected++;
        this.#timeline.rejected();
        this.#release(replica, id, action.request as FleetRequest);
      } else throw new Error(`a fleet's replicas can't ${action.kind}; choose another strategy`);
    }
    const wake = strategy.wakeAt() ?? Number.POSITIVE_INFINITY;
    if (wake <= now) throw new Error(`the strategy asks to be woken at ${wake} ns, not later than now, ${now} ns`);
    this.#next.set(id, Math.min(replica.nextEnd(), wake));
    if (replica.state === State.Draining && replica.inHand === 0) this.#stop(id, now);
  }

  #execute(replica: Replica, execution: Execute, now: Nanos): void {
    const { instance } = execution;
    if (replica.running[instance]) throw new Error(`instance ${instance} is busy`);
    const duration = replica.durationOf(execution);
    replica.running[instance] = execution;
    replica.ends[instance] = now + duration;
    this.#busyNs += duration;
    this.#executions++;
    this.#rows += execution.rows;
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
      if ((this.#replicas[id]?.state ?? State.Unused) === State.Unused) {
        this.#order(id);
        if (replicas.startUpNs === 0) this.#start(id);
        else this.#next.set(id, now + replicas.startUpNs);
      }
    for (let id = replicas.max - 1; this.#wanted > wanted && id >= 0; id--) this.#giveUp(id, now);
  }

  #order(id: number): void {
    const replica = this.#replicas[id] ?? this.#make(id);
    this.#replicas[id] = replica;
    replica.state = State.Starting;
    replica.orderedNs = this.#now;
    this.#wanted++;
    if (this.#wanted > this.#peakReplicas) this.#peakReplicas = this.#wanted;
  }

  #make(id: number): Replica {
    const { replicas, cost, strategy } = this.spec;
    const { speeds } = replicas;
    const speed = speeds?.[id % speeds.length] ?? 1;
    const instances: InstanceInfo[] = instanceList(Array.from({ length: replicas.instances }, () => ({ speed })));
    const costs = costModel(instances, { cost });
    const made = createStrategy(strategy.name, strategy.options, strategyContext(instances, costs));
    return new Replica(made, costs.durationOf, replicas.instances);
  }

  #start(id: number): void {
    this.#replicas[id]!.state = State.Ready;
    this.#countReady(this.#now);
    this.#ready++;
    this.#picker.open(id);
  }

  /** The newest first: those that are still starting, then those that are ready, which finish what they have. */
  #giveUp(id: number, now: Nanos): void {
    const replica = this.#replicas[id];
    if (replica?.state !== State.Starting && replica?.state !== State.Ready) return;
    this.#wanted--;
    if (replica.state === State.Starting) {
      this.#next.set(id, Number.POSITIVE_INFINITY);
      this.#stop(id, now);
      return;
    }
    this.#countReady(now);
    this.#ready--;
    this.#picker.close(id);
    replica.state = State.Draining;
    if (replica.inHand === 0) this.#stop(id, now);
  }

  #stop(id: number, now: Nanos): void {
    const replica = this.#replicas[id]!;
    replica.state = State.Unused;
    this.#replicaNs += now - replica.orderedNs;
  }

  #countReady(now: Nanos): void {
    this.#readyNs += this.#ready * (now - this.#readySince);
    this.#readySince = now;
  }

  #result(): FleetResult {
    const endNs = this.#now;
    for (const replica of this.#replicas)
      if (replica && replica.state !== State.Unused) this.#replicaNs += endNs - replica.orderedNs;
    return {
      offered: this.#offered,
      answered: this.#latency.count,
      rejected: this.#rejected,
      unserved: this.#unserved,
      good: this.#good,
      latency: this.#latency,
      executions: this.#executions,
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
