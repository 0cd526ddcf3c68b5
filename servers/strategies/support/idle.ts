/** Which of the instances 0 … count − 1 are idle. All are at first. */
export class IdleInstances {
  readonly #idle: Uint8Array;
  #count: number;

  constructor(count: number) {
    this.#idle = new Uint8Array(count).fill(1);
    this.#count = count;
  }

  /** How many are idle. */
  get count(): number {
    return this.#count;
  }

  /** The rule where a section names no other: the lowest idle id; −1 where none is idle. */
  lowest(): number {
    return this.#count === 0 ? -1 : this.#idle.indexOf(1);
  }

  has(instance: number): boolean {
    return this.#idle[instance] === 1;
  }

  /** It begins an execution. */
  take(instance: number): void {
    this.#count -= this.#idle[instance]!;
    this.#idle[instance] = 0;
  }

  /** Its execution ended. */
  release(instance: number): void {
    this.#count += 1 - this.#idle[instance]!;
    this.#idle[instance] = 1;
  }
}
