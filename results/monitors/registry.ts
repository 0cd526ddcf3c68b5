import { cgroup } from './cgroup.js';
import type { MonitorDefinition } from './contract.js';
import { eventLoop } from './event-loop.js';
import { host } from './host.js';
import { nodeNvidiaSmi } from './node-nvidia-smi.js';
import { nvidiaSmi } from './nvidia-smi.js';
import { nvml } from './nvml.js';
import { proc } from './proc.js';
import { prometheus } from './prometheus.js';

/** In the order in which they are started: what stands in for another comes after it. One import and one line per addition. */
export const monitors = [
  proc, // processes and their children
  eventLoop, // our own processes' loops
  host, // the machine
  cgroup, // the container
  nvml, // NVIDIA devices
  nvidiaSmi, // … where the library can't be loaded
  nodeNvidiaSmi, // … by an npm package
  prometheus, // any server's page of figures
] as const satisfies readonly MonitorDefinition[];
