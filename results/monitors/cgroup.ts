import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { MonitorContext, MonitorDefinition, Writer } from './contract.js';
import { ProcFile } from './proc-reader.js';

/**
 * The control group that the trial's processes share: CPU time, throttling by a quota, memory. Version 2, else version 1.
 * Throttled time is the figure that explains a tail which nothing else does. Sources: kernel documentation, "Control Group
 * v2" and "cgroup-v1".
 */
export const cgroup = {
  name: 'cgroup',
  summary: 'CPU time, throttling and memory of the control group (v2, else v1): what a container’s quota does',
  options: z.strictObject({
    root: z.string().default('/').describe('where /proc and /sys hang'),
  }),
  byDefault: true,
  unavailable: ({ root }) => (find(String(root)) ? undefined : 'no control group of this process is readable'),
  start({ options, series }) {
    const group = find(String(options.root))!;
    const files = group.sources.map(({ path, take }) => ({ file: new ProcFile(path), take: take(series) }));
    return {
      sample() {
        for (const { file, take } of files) take(file.read());
      },
      stop() {
        for (const { file } of files) file.close();
        return {};
      },
    };
  },
} as const satisfies MonitorDefinition;

interface Source {
  readonly path: string;
  readonly take: (series: MonitorContext['series']) => (text: string | undefined) => void;
}

function find(root: string): { readonly sources: readonly Source[] } | undefined {
  const text = readIfThere(join(root, 'proc/self/cgroup')) ?? '';
  const mount = join(root, 'sys/fs/cgroup');
  const own = text.match(/^0::(.*)$/m)?.[1];
  // Within a container the path may be of the host's tree: the mount's own root is then the group.
  const unified = [own, '/'].map((path) => join(mount, path ?? '/')).find((path) => existsSync(join(path, 'cpu.stat')));
  if (unified) return { sources: version2(unified) };
  const cpu = legacyFolder(text, mount, 'cpu');
  const memory = legacyFolder(text, mount, 'memory');
  return cpu || memory ? { sources: version1(cpu, legacyFolder(text, mount, 'cpuacct'), memory) } : undefined;
}

function version2(folder: string): Source[] {
  return [
    {
      path: join(folder, 'cpu.stat'),
      take: fields([
        ['usage_usec', 'cpu', 's', 1e-6],
        ['nr_periods', 'periods', 'count', 1],
        ['nr_throttled', 'throttledPeriods', 'count', 1],
        ['throttled_usec', 'throttled', 's', 1e-6],
      ]),
    },
    { path: join(folder, 'memory.current'), take: amount('memory', 'bytes', 'gauge', 1) },
    { path: join(folder, 'cpu.pressure'), take: pressure },
  ];
}

function version1(cpu: string | undefined, account: string | undefined, memory: string | undefined): Source[] {
  const throttling = fields([
    ['nr_periods', 'periods', 'count', 1],
    ['nr_throttled', 'throttledPeriods', 'count', 1],
    ['throttled_time', 'throttled', 's', 1e-9],
  ]);
  return [
    ...(cpu ? [{ path: join(cpu, 'cpu.stat'), take: throttling }] : []),
    ...(account ? [{ path: join(account, 'cpuacct.usage'), take: amount('cpu', 's', 'counter', 1e-9) }] : []),
    ...(memory ? [{ path: join(memory, 'memory.usage_in_bytes'), take: amount('memory', 'bytes', 'gauge', 1) }] : []),
  ];
}

/** A file of `name value` lines as counters. The root group has no quota and no such lines. */
function fields(
  wanted: readonly (readonly [field: string, metric: string, unit: string, scale: number])[],
): Source['take'] {
  return (series) => {
    const writers = wanted.map(([field, metric, unit, scale]) => ({
      pattern: new RegExp(`^${field} (\\d+)`, 'm'),
      scale,
      write: series('cgroup', metric, unit, 'counter'),
      field,
    }));
    return (text) => {
      for (const { pattern, scale, write, field } of writers)
        put(write, pattern.exec(text ?? '')?.[1], scale, `${field} is not told: no quota is set on this group`);
    };
  };
}

/** A file that holds one number. */
function amount(metric: string, unit: string, kind: 'gauge' | 'counter', scale: number): Source['take'] {
  return (series) => {
    const write = series('cgroup', metric, unit, kind);
    return (text) => put(write, /^\d+/.exec(text ?? '')?.[0], scale, 'the root group does not tell it');
  };
}

/** Time in which some task waited for a processor. */
const pressure: Source['take'] = (series) => {
  const write = series('cgroup', 'cpuPressure', 's', 'counter');
  return (text) => put(write, /^some .*total=(\d+)/m.exec(text ?? '')?.[1], 1e-6, 'the kernel has no pressure figures');
};

function put(write: Writer, text: string | undefined, scale: number, absent: string): void {
  if (text === undefined) write(null, absent);
  else write(Number(text) * scale);
}

/** `3:cpu,cpuacct:/a/b`: the controller's mount, and the group below it. */
function legacyFolder(text: string, mount: string, controller: string): string | undefined {
  const line = text.split('\n').find((each) => each.split(':')[1]?.split(',').includes(controller));
  const [, controllers, path] = line?.split(':') ?? [];
  const mounts = [controllers, controller].flatMap((name) => (name ? [join(mount, name)] : []));
  return mounts.flatMap((base) => [join(base, path ?? '/'), base]).find((folder) => existsSync(folder));
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
