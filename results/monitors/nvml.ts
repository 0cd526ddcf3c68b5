import { z } from 'zod';
import { messageOf } from '../errors.js';
import type { MonitorContext, MonitorDefinition } from './contract.js';
import { NVML_LIBRARY, type NvmlDevice, type NvmlGroup, openNvml } from './nvml-library.js';
import { type Reader, Rota } from './rota.js';

/** Long enough for the energy counter, which devices renew every 20 to 100 ms, to tell the idle power within a few per cent. */
const IDLE_MS = 2000;

/** Share of a core that the calls may take. */
const BUDGET = 0.01;

/**
 * NVIDIA devices through the driver's own library: utilisation, memory, clocks, power, temperature, reasons of throttling and
 * the cumulative energy counter, of every device and MIG device. A field that a device does not have is a gap with its reason,
 * and so is everything of a device that is lost. Where the driver's calls are slow the fields are
 * read in turns, the energy counter first (rota.ts). Source: NVML API Reference.
 */
export const nvml = {
  name: 'nvml',
  summary: 'NVIDIA devices through NVML: utilisation, memory, clocks, power, temperature, throttling, energy',
  options: z.strictObject({
    library: z.string().default(NVML_LIBRARY).describe('the library’s name or path'),
  }),
  byDefault: true,
  async unavailable({ library }) {
    try {
      (await openNvml(String(library))).close();
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  },
  async start({ options, series, periodMs }) {
    const { devices, close } = await openNvml(String(options.library));
    const readers = devices.flatMap((device) => device.groups.map((group) => reader(device, group, series)));
    const rota = new Rota(readers, BUDGET * periodMs * 1e6);
    const hasEnergy = devices.some(({ groups }) => groups.some(tellsEnergy));
    return {
      idleMs: hasEnergy ? IDLE_MS : undefined,
      sample() {
        rota.round();
      },
      stop() {
        close();
        return {};
      },
    };
  },
} as const satisfies MonitorDefinition;

function tellsEnergy(group: NvmlGroup): boolean {
  return group.fields.some(({ metric }) => metric === 'energy') && Array.isArray(group.read());
}

/** The energy counter goes first: what a request costs is told by its readings nearest to the window's edges. */
function reader({ subject }: NvmlDevice, group: NvmlGroup, series: MonitorContext['series']): Reader {
  const writers = group.fields.map(({ metric, unit, kind }) => series(subject, metric, unit, kind));
  return {
    first: group.fields.some(({ metric }) => metric === 'energy'),
    read() {
      const answer = group.read();
      if ('reason' in answer) {
        for (const write of writers) write(null, answer.reason);
        return !answer.forGood;
      }
      for (let i = 0; i < writers.length; i++) writers[i]!(answer[i]!);
      return true;
    },
  };
}
