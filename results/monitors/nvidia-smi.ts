import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import type { MonitorContext, MonitorDefinition } from './contract.js';
import { ProcFile, parseStat, SECONDS_PER_TICK } from './proc-reader.js';
import { type SmiMetric, smiWriter } from './smi-writer.js';

/** Columns in the order in which they are asked for, after the device's index. */
const COLUMNS: readonly (readonly [query: string, metric: SmiMetric])[] = [
  ['utilization.gpu', 'utilization'],
  ['utilization.memory', 'memoryUtilization'],
  ['memory.used', 'memoryUsed'],
  ['memory.total', 'memoryTotal'],
  ['clocks.gr', 'clockGraphics'],
  ['clocks.mem', 'clockMemory'],
  ['power.draw', 'power'],
  ['temperature.gpu', 'temperature'],
];

/**
 * NVIDIA devices through one `nvidia-smi` that prints a line a device every period: where the library can't be loaded into
 * this process, the program may still run. It tells no energy. Source: `nvidia-smi --help-query-gpu`.
 */
export const nvidiaSmi = {
  name: 'nvidia-smi',
  summary: 'NVIDIA devices through one streaming nvidia-smi process, where NVML can’t be loaded',
  options: z.strictObject({
    program: z.string().default('nvidia-smi').describe('its name or path'),
  }),
  byDefault: true,
  standsInFor: 'nvml',
  unavailable: ({ program }) => (onPath(String(program)) ? undefined : `there is no ${String(program)} on PATH`),
  start(context) {
    const { options, periodMs, charged, failed } = context;
    const query = ['index', ...COLUMNS.map(([name]) => name)].join(',');
    const words = [`--query-gpu=${query}`, '--format=csv,noheader,nounits', `-lms=${Math.round(periodMs)}`];
    const child = spawn(String(options.program), words, { stdio: ['ignore', 'pipe', 'pipe'] });
    const stat = new ProcFile(`/proc/${child.pid}/stat`);
    const write = lineWriter(context);
    let complaint = '';
    let stopping = false;
    createInterface({ input: child.stdout }).on('line', (line) => charged(() => write(line)));
    createInterface({ input: child.stderr }).on('line', (line) => {
      complaint = line;
    });
    child.on('error', (error) => failed(`nvidia-smi: ${error.message}`));
    child.on('exit', (code, signal) => {
      if (!stopping) failed(`nvidia-smi ended (${signal ?? `exit code ${code}`})${complaint && `: ${complaint}`}`);
    });
    return {
      async stop() {
        stopping = true;
        const line = stat.read();
        stat.close();
        await end(child);
        if (!line) return { programCpuSeconds: null };
        const { user, system } = parseStat(line);
        return { programCpuSeconds: (user + system) * SECONDS_PER_TICK };
      },
    };
  },
} as const satisfies MonitorDefinition;

/** `0, 42, 7, 1024, 81559, 1410, 1593, 61.25, 38`; a device that is lost says so in its columns. */
function lineWriter({ series }: MonitorContext): (line: string) => void {
  const writers = new Map<string, ReturnType<typeof smiWriter>>();
  return (line) => {
    const [index, ...cells] = line.split(',').map((cell) => cell.trim());
    if (index === undefined || !/^\d+$/.test(index)) return;
    const write = writers.get(index) ?? smiWriter(`gpu${index}`, series);
    writers.set(index, write);
    write(Object.fromEntries(COLUMNS.map(([, metric], i) => [metric, cells[i] ?? ''])));
  };
}

function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return Promise.resolve();
  return new Promise((resolve) => {
    const force = setTimeout(() => child.kill('SIGKILL'), 1000);
    child.once('exit', () => {
      clearTimeout(force);
      resolve();
    });
    child.kill();
  });
}

/** The program can be run. */
export function onPath(program: string): boolean {
  const folders = isAbsolute(program) || program.includes('/') ? [''] : (process.env.PATH ?? '').split(delimiter);
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
