import { existsSync } from 'node:fs';
import type { ProcessUsage } from '../summary.js';
import type { Monitor, MonitorDefinition } from './contract.js';
import { ProcessWatch } from './process-watch.js';

/**
 * CPU time, resident memory and context switches from Linux's `/proc`. A `server` is told in two: its main thread
 * (frontend, strategy) as `server`, everything else in it (instances in threads or child processes, the runtime's pools,
 * garbage collection) as `workers`. Source: proc(5).
 */
export const proc: MonitorDefinition = {
  name: 'proc',
  summary: 'CPU time, resident memory and context switches of each process, from /proc (Linux)',
  unavailable() {
    if (process.platform !== 'linux') return `there is no /proc on ${process.platform}`;
    return existsSync('/proc/self/stat') ? undefined : '/proc is not mounted';
  },
  start(targets, periodMs): Monitor {
    const watches = targets.map(({ role, pid }) => new ProcessWatch(role, pid));
    // The clock of this process may stall without harm: only the peak of the resident set depends on it.
    const timer = setInterval(() => {
      for (const watch of watches) watch.sample();
    }, periodMs).unref();
    return {
      mark() {
        for (const watch of watches) watch.mark();
      },
      stop(): readonly ProcessUsage[] {
        clearInterval(timer);
        return watches.flatMap((watch) => watch.stop());
      },
    };
  },
};
