import type { MonitorContext, Writer } from './contract.js';

/** What `nvidia-smi` tells of a device, under the names that NVML's fields have here. */
export const SMI_METRICS = {
  utilization: '%',
  memoryUtilization: '%',
  memoryUsed: 'bytes',
  memoryTotal: 'bytes',
  clockGraphics: 'MHz',
  clockMemory: 'MHz',
  power: 'W',
  temperature: '°C',
} as const;

export type SmiMetric = keyof typeof SMI_METRICS;

/** The cumulative counter is NVML's alone: energy is then absent, never a sum of power samples. */
const NO_ENERGY = 'nvidia-smi does not tell the energy counter; the nvml monitor does';
const MIB = 1024 ** 2;

/** Writes what a device was said to have. Texts that are no numbers (`[N/A]`, `[GPU is lost]`) are gaps with that text as reason. */
export function smiWriter(subject: string, series: MonitorContext['series']) {
  const writers = Object.entries(SMI_METRICS).map(
    ([metric, unit]) => [metric as SmiMetric, series(subject, metric, unit, 'gauge')] as const,
  );
  const energy = series(subject, 'energy', 'J', 'counter');
  let told = false;
  return (values: Readonly<Partial<Record<SmiMetric, string>>>): void => {
    for (const [metric, write] of writers)
      put(write, values[metric], metric.startsWith('memoryU') || metric === 'memoryTotal');
    if (!told) energy(null, NO_ENERGY);
    told = true;
  };
}

/** `1024`, `1024 MiB`, `45 C`: the number, whatever unit follows; memory is in MiB. */
function put(write: Writer, text: string | undefined, mebibytes: boolean): void {
  const value = Number.parseFloat(text ?? '');
  if (Number.isNaN(value)) write(null, reasonOf(text));
  else write(mebibytes && !isShare(text!) ? value * MIB : value);
}

function isShare(text: string): boolean {
  return text.includes('%');
}

function reasonOf(text: string | undefined): string {
  const said = text?.replace(/^\[|\]$/g, '').trim();
  if (!said) return 'nvidia-smi does not tell it';
  return /^(n\/a|not supported)$/i.test(said) ? 'not supported by this device' : said;
}
