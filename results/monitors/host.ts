import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { MonitorContext, MonitorDefinition, Writer } from './contract.js';
import { ProcFile } from './proc-reader.js';

/**
 * The whole machine: time that its processors were busy, idle, waiting for disks, and stolen by a hypervisor; load average;
 * clock frequency where the kernel tells it. Sources: proc(5) `/proc/stat`, cpufreq in sysfs.
 */
export const host = {
  name: 'host',
  summary:
    'the whole machine: busy, idle and stolen processor time, load, clock frequency, from /proc and /sys (Linux)',
  options: z.strictObject({
    root: z.string().default('/').describe('where /proc and /sys hang'),
  }),
  byDefault: true,
  unavailable: ({ root }) => (existsSync(join(String(root), 'proc/stat')) ? undefined : 'there is no /proc/stat'),
  start({ options, series }) {
    const root = String(options.root);
    const stat = new ProcFile(join(root, 'proc/stat'));
    const load = new ProcFile(join(root, 'proc/loadavg'));
    const times = TIMES.map(([metric, field]) => [field, series('host', metric, 's', 'counter')] as const);
    const runnable = series('host', 'load1m', 'count', 'gauge');
    const frequency = frequencies(root, series);
    let rounds = 0;
    return {
      sample() {
        const fields = cpuFields(stat.read());
        for (const [field, write] of times) put(write, fields?.[field], '/proc/stat does not tell it', 0.01);
        put(runnable, Number.parseFloat(load.read() ?? ''), 'there is no /proc/loadavg');
        // Each processor has a file of its own, and its clock moves slower than that.
        if (rounds++ % 10 === 0) frequency.sample();
      },
      stop() {
        for (const file of [stat, load, ...frequency.files]) file.close();
        return {};
      },
    };
  },
} as const satisfies MonitorDefinition;

/** Fields of the `cpu` line. Guests' time is in `user` already. */
const TIMES = [
  ['cpuUser', 0],
  ['cpuNice', 1],
  ['cpuSystem', 2],
  ['cpuIdle', 3],
  ['cpuIoWait', 4],
  ['cpuIrq', 5],
  ['cpuSoftIrq', 6],
  ['cpuSteal', 7],
] as const;

/** Field values of the first line, `cpu  1 2 3 …`, in ticks. */
function cpuFields(text: string | undefined): readonly number[] | undefined {
  const line = text?.slice(0, text.indexOf('\n'));
  return line?.startsWith('cpu ') ? line.slice(4).trim().split(' ').map(Number) : undefined;
}

function put(write: Writer, value: number | undefined, absent: string, scale = 1): void {
  if (value === undefined || Number.isNaN(value)) write(null, absent);
  else write(value * scale);
}

function frequencies(root: string, series: MonitorContext['series']) {
  const write = series('host', 'frequency', 'MHz', 'gauge');
  const folder = join(root, 'sys/devices/system/cpu');
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => /^cpu\d+$/.test(name)) : [];
  const files = names.map((name) => new ProcFile(join(folder, name, 'cpufreq/scaling_cur_freq')));
  return {
    files,
    /** Mean over the processors. */
    sample() {
      const kilohertz = files.flatMap((file) => Number(file.read()?.trim() || Number.NaN)).filter(Number.isFinite);
      if (kilohertz.length === 0) write(null, 'there is no cpufreq here (a virtual machine, perhaps)');
      else write(kilohertz.reduce((sum, each) => sum + each, 0) / kilohertz.length / 1000);
    },
  };
}
