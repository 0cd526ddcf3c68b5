import { createRequire } from 'node:module';
import { z } from 'zod';
import { messageOf } from '../errors.js';
import type { MonitorDefinition } from './contract.js';
import { onPath } from './nvidia-smi.js';
import { smiWriter } from './smi-writer.js';

/** A whole `nvidia-smi -q -x` each time: tens of milliseconds of CPU time, so never more often than this. */
const SHORTEST_MS = 1000;

/**
 * NVIDIA devices through the npm package `node-nvidia-smi`, an optional dependency, which runs `nvidia-smi -q -x` each time. For
 * those who want this source by name; `nvml` tells more and costs a thousandth.
 */
export const nodeNvidiaSmi = {
  name: 'node-nvidia-smi',
  summary: 'NVIDIA devices through the npm package node-nvidia-smi (nvidia-smi -q -x, once a second at most)',
  options: z.strictObject({}),
  byDefault: false,
  unavailable() {
    if (!load()) return 'the optional package node-nvidia-smi is not installed';
    return onPath('nvidia-smi') ? undefined : 'there is no nvidia-smi on PATH';
  },
  start({ series, charged, failed }) {
    const query = load()!;
    const writers = new Map<number, ReturnType<typeof smiWriter>>();
    let askedAt = Number.NEGATIVE_INFINITY;
    let asking = false;
    let over = false;
    const take = (log: SmiLog) => {
      [log.nvidia_smi_log?.gpu ?? []].flat().forEach((gpu, index) => {
        const write = writers.get(index) ?? smiWriter(`gpu${index}`, series);
        writers.set(index, write);
        write(valuesOf(gpu));
      });
    };
    return {
      sample() {
        if (asking || performance.now() - askedAt < SHORTEST_MS) return;
        asking = true;
        askedAt = performance.now();
        query((error, log) => {
          asking = false;
          if (over) return;
          if (error) failed(`node-nvidia-smi: ${messageOf(error).split('\n')[0]}`);
          else charged(() => take(log!));
        });
      },
      stop() {
        over = true;
        // The package starts shells of its own whose time nobody tells.
        return { programCpuSeconds: null };
      },
    };
  },
} as const satisfies MonitorDefinition;

/** The part of `nvidia-smi -q -x` that is read; texts with their units. Newer drivers renamed the power's element. */
interface SmiGpu {
  readonly utilization?: { readonly gpu_util?: string; readonly memory_util?: string };
  readonly fb_memory_usage?: { readonly used?: string; readonly total?: string };
  readonly clocks?: { readonly graphics_clock?: string; readonly mem_clock?: string };
  readonly power_readings?: { readonly power_draw?: string };
  readonly gpu_power_readings?: { readonly power_draw?: string };
  readonly temperature?: { readonly gpu_temp?: string };
}

interface SmiLog {
  readonly nvidia_smi_log?: { readonly gpu?: SmiGpu | readonly SmiGpu[] };
}

function valuesOf(gpu: SmiGpu) {
  return {
    utilization: gpu.utilization?.gpu_util ?? '',
    memoryUtilization: gpu.utilization?.memory_util ?? '',
    memoryUsed: gpu.fb_memory_usage?.used ?? '',
    memoryTotal: gpu.fb_memory_usage?.total ?? '',
    clockGraphics: gpu.clocks?.graphics_clock ?? '',
    clockMemory: gpu.clocks?.mem_clock ?? '',
    power: (gpu.gpu_power_readings ?? gpu.power_readings)?.power_draw ?? '',
    temperature: gpu.temperature?.gpu_temp ?? '',
  };
}

type Query = (done: (error: unknown, log?: SmiLog) => void) => void;

function load(): Query | undefined {
  try {
    return createRequire(import.meta.url)('node-nvidia-smi') as Query;
  } catch {
    return undefined;
  }
}
