import type { MonitorDefinition } from './contract.js';
import { proc } from './proc.js';

/** In the order in which they are asked. One import and one line per addition. */
export const monitors = [
  proc, // processes and their children
] as const satisfies readonly MonitorDefinition[];
