import { existsSync } from 'node:fs';
import { z } from 'zod';
import type { MonitorDefinition } from './contract.js';
import { ProcessWatch } from './process-watch.js';

/**
 * CPU time, resident memory, threads, I/O and context switches from Linux's `/proc`, of each process with its children. A
 * `server` is told in two: its main thread (frontend, strategy) as `server`, everything else in it (instances in threads or
 * child processes, the runtime's pools, garbage collection) as `workers`. Source: proc(5).
 */
export const proc = {
  name: 'proc',
  summary: 'CPU time, memory, threads, I/O and context switches of each process and its children, from /proc (Linux)',
  options: z.strictObject({}),
  byDefault: true,
  unavailable() {
    if (process.platform !== 'linux') return `there is no /proc on ${process.platform}`;
    return existsSync('/proc/self/stat') ? undefined : '/proc is not mounted';
  },
  start({ series }) {
    const watches: ProcessWatch[] = [];
    return {
      watch: ({ role, pid, subject }) => void watches.push(new ProcessWatch(role, pid, series, subject)),
      sample() {
        for (const watch of watches) watch.sample();
      },
      mark() {
        for (const watch of watches) watch.mark();
      },
      stop: () => ({ processes: watches.flatMap((watch) => watch.stop()) }),
    };
  },
} as const satisfies MonitorDefinition;
