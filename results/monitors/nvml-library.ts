import { messageOf } from '../errors.js';
import type { ReadingKind } from '../readings.js';

/** NVML as far as it is needed, over koffi, which is loaded when somebody asks for it. */
export interface Nvml {
  readonly driver: string;
  /** Physical devices, and the MIG devices of those that are divided. */
  readonly devices: readonly NvmlDevice[];
  close(): void;
}

export interface NvmlDevice {
  /** `gpu0`; a part of it, `gpu0.mig1`. */
  readonly subject: string;
  readonly name: string;
  readonly groups: readonly NvmlGroup[];
}

/** Fields that one call answers. */
export interface NvmlGroup {
  readonly fields: readonly { readonly metric: string; readonly unit: string; readonly kind: ReadingKind }[];
  /** One value a field, or why there is none. */
  read(): readonly number[] | NvmlProblem;
}

export interface NvmlProblem {
  readonly reason: string;
  /** It will not be otherwise the next time: ask no more. */
  readonly forGood: boolean;
}

/** As the driver installs it; the development name without a number is often absent. */
export const NVML_LIBRARY = 'libnvidia-ml.so.1';

/**
 * Loads the library and finds the devices. Throws Error with the reason where there is no library, no driver or no device.
 * Symbols carry their version (`nvmlInit_v2`); one that an old driver lacks costs its field only.
 */
export async function openNvml(path = NVML_LIBRARY): Promise<Nvml> {
  const { default: koffi } = await import('koffi');
  let library: ReturnType<typeof koffi.load>;
  try {
    library = koffi.load(path);
  } catch (error) {
    throw new Error(`${path} can't be loaded (${messageOf(error).split('\n')[0]}): no NVIDIA driver here`);
  }
  const call: Caller = (name, types) => {
    try {
      return library.func(name, 'int', [...types]) as unknown as NativeCall;
    } catch {
      return () => FUNCTION_NOT_FOUND;
    }
  };
  const status = call('nvmlInit_v2', [])();
  if (status !== SUCCESS) throw new Error(`NVML does not start: ${reasonOf(status)}`);
  const devices = devicesOf(call);
  const shutdown = call('nvmlShutdown', []);
  if (devices.length === 0) {
    shutdown();
    throw new Error('NVML finds no device');
  }
  return {
    driver: textOf(call('nvmlSystemGetDriverVersion', ['void *', 'uint']), 81),
    devices,
    close: () => void shutdown(),
  };
}

type NativeCall = (...values: readonly (bigint | number | Buffer)[]) => number;
/** A handle is a pointer that only NVML looks into: it travels as an integer of its size. */
type Type = 'uint64' | 'uint' | 'void *';
type Caller = (name: string, types: readonly Type[]) => NativeCall;

const SUCCESS = 0;
const NOT_SUPPORTED = 3;
const FUNCTION_NOT_FOUND = 13;
/** nvmlReturn_t, as far as a user can meet it. Source: NVML API Reference. */
const REASONS: Readonly<Record<number, string>> = {
  1: 'the library is not initialised',
  2: 'invalid argument',
  3: 'not supported by this device',
  4: 'no permission',
  6: 'not found',
  9: 'the NVIDIA driver is not loaded',
  10: 'the device did not answer in time',
  13: 'the driver is too old to tell it',
  15: 'the GPU is lost: it fell off the bus or is inaccessible',
  16: 'the GPU needs a reset',
  18: 'driver and library have different versions',
  999: 'unknown error of the driver',
};

function reasonOf(status: number): string {
  return REASONS[status] ?? `NVML error ${status}`;
}

function devicesOf(call: Caller): NvmlDevice[] {
  const number = Buffer.alloc(8);
  if (call('nvmlDeviceGetCount_v2', ['void *'])(number) !== SUCCESS) return [];
  const byIndex = call('nvmlDeviceGetHandleByIndex_v2', ['uint', 'void *']);
  return Array.from({ length: number.readUInt32LE() }, (_, index) => index).flatMap((index) => {
    const handle = Buffer.alloc(8);
    if (byIndex(index, handle) !== SUCCESS) return [];
    const device = handle.readBigUInt64LE();
    return [deviceOf(call, device, `gpu${index}`), ...migOf(call, device, `gpu${index}`)];
  });
}

/** The parts of a divided device. They tell their memory; power and energy are the whole device's. */
function migOf(call: Caller, device: bigint, subject: string): NvmlDevice[] {
  const mode = Buffer.alloc(4);
  const pending = Buffer.alloc(4);
  const divided = call('nvmlDeviceGetMigMode', ['uint64', 'void *', 'void *'])(device, mode, pending) === SUCCESS;
  if (!divided || mode.readUInt32LE() !== 1) return [];
  const most = Buffer.alloc(4);
  if (call('nvmlDeviceGetMaxMigDeviceCount', ['uint64', 'void *'])(device, most) !== SUCCESS) return [];
  const byIndex = call('nvmlDeviceGetMigDeviceHandleByIndex', ['uint64', 'uint', 'void *']);
  return Array.from({ length: most.readUInt32LE() }, (_, index) => index).flatMap((index) => {
    const handle = Buffer.alloc(8);
    if (byIndex(device, index, handle) !== SUCCESS) return [];
    return [deviceOf(call, handle.readBigUInt64LE(), `${subject}.mig${index}`)];
  });
}

function deviceOf(call: Caller, device: bigint, subject: string): NvmlDevice {
  const name = call('nvmlDeviceGetName', ['uint64', 'void *', 'uint']);
  return {
    subject,
    name: textOf((out, length) => name(device, out!, length!), 96),
    groups: [
      utilization(call, device),
      memory(call, device),
      one(call, 'nvmlDeviceGetClockInfo', device, [GRAPHICS_CLOCK], gauge('clockGraphics', 'MHz')),
      one(call, 'nvmlDeviceGetClockInfo', device, [MEMORY_CLOCK], gauge('clockMemory', 'MHz')),
      one(call, 'nvmlDeviceGetPowerUsage', device, [], gauge('power', 'W'), 1e-3),
      one(call, 'nvmlDeviceGetTemperature', device, [GPU_SENSOR], gauge('temperature', '°C')),
      throttling(call, device),
      energy(call, device),
    ],
  };
}

const [GRAPHICS_CLOCK, MEMORY_CLOCK, GPU_SENSOR] = [0, 2, 0];

function gauge(metric: string, unit: string) {
  return { metric, unit, kind: 'gauge' as const };
}

/** A call that fills one unsigned int after some fixed arguments. */
function one(
  call: Caller,
  name: string,
  device: bigint,
  fixed: readonly number[],
  field: NvmlGroup['fields'][number],
  scale = 1,
): NvmlGroup {
  const out = Buffer.alloc(4);
  const native = call(name, ['uint64', ...fixed.map(() => 'uint' as const), 'void *']);
  return group(
    [field],
    () => native(device, ...fixed, out),
    () => [out.readUInt32LE() * scale],
  );
}

/** `nvmlUtilization_t { unsigned gpu, memory }`, per cent of the driver's own last sampling period. */
function utilization(call: Caller, device: bigint): NvmlGroup {
  const out = Buffer.alloc(8);
  const native = call('nvmlDeviceGetUtilizationRates', ['uint64', 'void *']);
  const fields = [gauge('utilization', '%'), gauge('memoryUtilization', '%')];
  return group(
    fields,
    () => native(device, out),
    () => [out.readUInt32LE(0), out.readUInt32LE(4)],
  );
}

/** `nvmlMemory_t { unsigned long long total, free, used }`, bytes. */
function memory(call: Caller, device: bigint): NvmlGroup {
  const out = Buffer.alloc(24);
  const native = call('nvmlDeviceGetMemoryInfo', ['uint64', 'void *']);
  const fields = [gauge('memoryUsed', 'bytes'), gauge('memoryTotal', 'bytes')];
  return group(
    fields,
    () => native(device, out),
    () => [out.readBigUInt64LE(16), out.readBigUInt64LE(0)].map(Number),
  );
}

/** Bits of nvmlClocksThrottleReasons; what is only idleness or a user's own clock setting is none. */
const POWER_BITS = 0x04n | 0x80n;
const THERMAL_BITS = 0x20n | 0x40n;
const HARDWARE_BIT = 0x08n;

function throttling(call: Caller, device: bigint): NvmlGroup {
  const out = Buffer.alloc(8);
  const native = call('nvmlDeviceGetCurrentClocksThrottleReasons', ['uint64', 'void *']);
  const fields = [
    gauge('throttleReasons', ''),
    gauge('throttledByPower', '%'),
    gauge('throttledByHeat', '%'),
    gauge('throttledByHardware', '%'),
  ];
  return group(
    fields,
    () => native(device, out),
    () => {
      const bits = out.readBigUInt64LE();
      const share = (mask: bigint) => ((bits & mask) === 0n ? 0 : 100);
      return [Number(bits), share(POWER_BITS), share(THERMAL_BITS), share(HARDWARE_BIT)];
    },
  );
}

/** Millijoules since the driver was loaded. */
function energy(call: Caller, device: bigint): NvmlGroup {
  const out = Buffer.alloc(8);
  const native = call('nvmlDeviceGetTotalEnergyConsumption', ['uint64', 'void *']);
  const field = { metric: 'energy', unit: 'J', kind: 'counter' as const };
  return group(
    [field],
    () => native(device, out),
    () => [Number(out.readBigUInt64LE()) / 1e3],
  );
}

function group(fields: NvmlGroup['fields'], ask: () => number, values: () => readonly number[]): NvmlGroup {
  return {
    fields,
    read() {
      const status = ask();
      if (status === SUCCESS) return values();
      return { reason: reasonOf(status), forGood: status === NOT_SUPPORTED || status === FUNCTION_NOT_FOUND };
    },
  };
}

function textOf(native: NativeCall, length: number): string {
  const out = Buffer.alloc(length);
  if (native(out, length) !== SUCCESS) return 'unknown';
  return out.toString('utf8', 0, out.indexOf(0));
}
