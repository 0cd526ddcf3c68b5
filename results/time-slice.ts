import { release } from 'node:os';

/** A tenth of a millisecond: the least that Linux grants. */
export const SHORT_SLICE_NS = 100_000;

/** sched_setattr and sched_getattr: C libraries often lack functions for them. Source: the kernel's tables of system calls. */
const CALLS: Readonly<Record<string, readonly [set: number, get: number]>> = { x64: [314, 315], arm64: [274, 275] };
/** `struct sched_attr`, version 0: size, policy, flags, niceness, priority, runtime …; sched_setattr(2). */
const ATTRIBUTES = { bytes: 48, policy: 4, runtime: 24 };
const SCHED_OTHER = 0;

/**
 * Asks the kernel to run this thread, and threads that it starts from now on, in slices of 0.1 ms instead of about 3: a thread
 * that wakes then takes the processor from one with longer slices at once, where it would otherwise wait for the end of the
 * other's slice. Its share of the processor stays what it is, and no privilege is needed. Linux heeds it since 6.12 (EEVDF,
 * `sched_runtime` of a SCHED_OTHER thread). Resolves with the slice that now holds, ns, or with why the kernel's own does.
 */
export async function shortenTimeSlice(): Promise<number | string> {
  const numbers = CALLS[process.arch];
  if (process.platform !== 'linux' || !numbers) return `not known on ${process.platform} ${process.arch}`;
  try {
    const { default: koffi } = await import('koffi');
    const library = koffi.load('libc.so.6');
    const set = library.func('syscall', 'long', ['long', 'int', 'void *', 'uint']) as NativeCall;
    const get = library.func('syscall', 'long', ['long', 'int', 'void *', 'uint', 'uint']) as NativeCall;
    const attributes = Buffer.alloc(ATTRIBUTES.bytes);
    const read = () => get(numbers[1], 0, attributes, ATTRIBUTES.bytes, 0) === 0;
    // Niceness stays; a real-time thread has no slices to shorten.
    if (!read() || attributes.readUInt32LE(ATTRIBUTES.policy) !== SCHED_OTHER) return 'not an ordinary thread';
    attributes.writeBigUInt64LE(BigInt(SHORT_SLICE_NS), ATTRIBUTES.runtime);
    if (set(numbers[0], 0, attributes, 0) !== 0) return 'the kernel refuses it';
    const slice = read() ? Number(attributes.readBigUInt64LE(ATTRIBUTES.runtime)) : 0;
    return slice === SHORT_SLICE_NS ? slice : `Linux ${release()} knows no such wish (6.12 and later do)`;
  } catch {
    return 'koffi or the C library can’t be loaded';
  }
}

type NativeCall = (...args: readonly (number | Buffer)[]) => number;
