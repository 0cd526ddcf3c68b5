import type { MonitorDefinition } from './contract.js';
import { proc } from './proc.js';

export const monitors = [proc] as const satisfies readonly MonitorDefinition[];

/** The monitor of that name, or undefined. */
export function monitor(name: string): MonitorDefinition | undefined {
  return monitors.find((one) => one.name === name);
}
