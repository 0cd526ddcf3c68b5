/**
 * The waiting and running requests of replicas whose strategy is plain (one queue in order of arrival, one request an
 * execution), in columns: some bytes a request in one place, where a fleet of ten thousand state machines looks at objects all
 * over the memory. Grows with what is in flight.
 */
export class PlainQueues {
  /** Of each replica: its first and last waiting request, and how many wait. */
  readonly #heads: Int32Array;
  readonly #tails: Int32Array;
  readonly #waiting: Int32Array;
  /** Of each instance of each replica: the request that it runs; −1 = idle. */
  readonly #running: Int32Array;
  /** Of each request: when it came, and which is behind it; of what is free too. */
  #at = new Float64Array(1024);
  #next = linked(new Int32Array(1024), 0);
  #free = 0;

  constructor(
    replicas: number,
    places: number,
    /** Of one replica's queue. */
    private readonly limit: number,
  ) {
    this.#heads = new Int32Array(replicas).fill(-1);
    this.#tails = new Int32Array(replicas).fill(-1);
    this.#waiting = new Int32Array(replicas);
    this.#running = new Int32Array(places).fill(-1);
  }

  /** False where the queue is full. */
  offer(replica: number, now: number): boolean {
    if (this.#waiting[replica]! >= this.limit) return false;
    const request = this.#take(now);
    if (this.#waiting[replica]!++ === 0) this.#heads[replica] = request;
    else this.#next[this.#tails[replica]!] = request;
    this.#tails[replica] = request;
    return true;
  }

  /** The replica's first waiting request begins there; false where none waits or that place is busy. */
  begin(replica: number, place: number): boolean {
    if (this.#waiting[replica] === 0 || this.#running[place]! >= 0) return false;
    const request = this.#heads[replica]!;
    this.#heads[replica] = this.#next[request]!;
    this.#waiting[replica]!--;
    this.#running[place] = request;
    return true;
  }

  /** What runs there has ended; answers when it came. */
  end(place: number): number {
    const request = this.#running[place]!;
    this.#running[place] = -1;
    this.#next[request] = this.#free;
    this.#free = request;
    return this.#at[request]!;
  }

  #take(now: number): number {
    if (this.#free < 0) this.#grow();
    const request = this.#free;
    this.#free = this.#next[request]!;
    this.#at[request] = now;
    return request;
  }

  #grow(): void {
    const size = this.#at.length;
    const at = new Float64Array(size * 2);
    at.set(this.#at);
    const next = linked(new Int32Array(size * 2), size);
    next.set(this.#next);
    this.#at = at;
    this.#next = next;
    this.#free = size;
  }
}

/** From there on each is behind the one before it; the last has none. */
function linked(next: Int32Array, from: number): Int32Array {
  for (let i = from; i < next.length; i++) next[i] = i + 1 < next.length ? i + 1 : -1;
  return next;
}
