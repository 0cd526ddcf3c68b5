import type { LiveEvent } from './events.js';

/** Samples kept: some twenty minutes at four a second; beyond that every other one of the older half goes. */
const MOST = 5000;

/** What was told so far, for those who come late. */
export class History {
  #events: LiveEvent[] = [];
  #samples = 0;

  add(event: LiveEvent): void {
    this.#events.push(event);
    if (event.kind === 'sample' && ++this.#samples > MOST) this.#thin();
  }

  get events(): readonly LiveEvent[] {
    return this.#events;
  }

  #thin(): void {
    const half = this.#events.length / 2;
    let odd = false;
    this.#events = this.#events.filter((event, at) => {
      if (event.kind !== 'sample' || at >= half) return true;
      odd = !odd;
      return odd;
    });
    this.#samples = this.#events.filter((event) => event.kind === 'sample').length;
  }
}
