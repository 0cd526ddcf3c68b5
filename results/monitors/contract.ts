import type { ProcessUsage } from '../summary.js';

/** A source of device or process measurements. */
export interface MonitorDefinition {
  readonly name: string;
  readonly summary: string;
  /** Why it can't run here, or undefined. */
  unavailable(): string | undefined;
  start(targets: readonly { readonly role: string; readonly pid: number }[], periodMs: number): Monitor;
}

export interface Monitor {
  /** Begin the measured window (after warm-up). */
  mark(): void;
  /** End it; the usage between the two marks. */
  stop(): readonly ProcessUsage[];
}
