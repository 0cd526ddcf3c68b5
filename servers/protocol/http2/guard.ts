import { ERROR, Http2Error } from './wire.js';

/** Frames that a connection may send at once, and a second for ever. */
const BURST = 10_000;
const PER_SECOND = 10_000;

/**
 * Counts frames that cost their sender nothing and bring a server nothing: PING, SETTINGS, PRIORITY, RST_STREAM, empty DATA
 * and CONTINUATION. A client that gives up thousands of requests a second is within; a flood is not. Source: RFC 9113, 10.5,
 * and CVE-2019-9512 to 9518, CVE-2023-44487.
 */
export class Guard {
  private budget = BURST;
  private seenNs: number;

  constructor(private readonly nowNs: () => number) {
    this.seenNs = nowNs();
  }

  /** Throws Http2Error ENHANCE_YOUR_CALM. */
  count(): void {
    if (this.budget < 1) this.refill();
    if (this.budget < 1)
      throw new Http2Error(ERROR.ENHANCE_YOUR_CALM, `more than ${PER_SECOND} control frames a second`);
    this.budget--;
  }

  private refill(): void {
    const now = this.nowNs();
    this.budget = Math.min(BURST, this.budget + ((now - this.seenNs) / 1e9) * PER_SECOND);
    this.seenNs = now;
  }
}
