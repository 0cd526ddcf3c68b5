const MIN_NS = 40_000;
const MAX_NS = 400_000;
/** Weight of the newest wake-up in the averages. */
const WEIGHT = 0.1;
/** Mean deviations by which the lead exceeds the mean: nine of ten wake-ups come in time. */
const DEVIATIONS = 2;

/**
 * How early a sleeper has to be asked to wake us. It follows the wake-ups as a TCP timeout follows the round trips (RFC 6298):
 * moving mean plus two moving mean deviations of how long they take, within 40 … 400 µs. The mean alone is too late half of
 * the time.
 */
export class WakeLead {
  ns = 100_000;
  private meanNs = 70_000;
  private deviationNs = 15_000;

  /** A wake-up came so long after its time. One that found the machine busy says little of the next one. */
  learn(latencyNs: number): void {
    const error = Math.min(latencyNs, MAX_NS) - this.meanNs;
    this.meanNs += WEIGHT * error;
    this.deviationNs += WEIGHT * (Math.abs(error) - this.deviationNs);
    this.ns = Math.min(MAX_NS, Math.max(MIN_NS, this.meanNs + DEVIATIONS * this.deviationNs));
  }
}
