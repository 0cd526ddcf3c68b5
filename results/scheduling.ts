/** How the kernel lets the load's threads run. */
export type LoadScheduling = 'real-time' | 'short-slices' | 'ordinary';

export interface Scheduled {
  readonly scheduling: LoadScheduling;
  /** Why it is nothing better. */
  readonly reason?: string | undefined;
  /** The calling thread runs as it did before. */
  restore(): void;
}

/** A tenth of a millisecond: the least that Linux grants. */
const SHORT_SLICE_NS = 100_000n;
/** Below every other real-time thread; above all ordinary ones. */
const LOWEST_PRIORITY = 1;

/** sched_setattr and sched_getattr: C libraries often lack functions for them. Source: the kernel's tables of system calls. */
const CALLS: Readonly<Record<string, readonly [set: number, get: number]>> = { x64: [314, 315], arm64: [274, 275] };
/** `struct sched_attr`, version 0: size, policy, flags, niceness, priority, runtime …; sched_setattr(2). */
const ATTRIBUTES = { bytes: 48, policy: 4, priority: 20, runtime: 24 };
const SCHED_OTHER = 0;
const SCHED_FIFO = 1;

/**
 * Has the kernel give this thread, and threads that it starts from now on, the processor when it wakes, at once:
 * - `real-time`: SCHED_FIFO of the lowest priority, before every ordinary thread. Needs CAP_SYS_NICE (root has it) or a real-time
 *   limit (`ulimit -r`); Linux leaves ordinary threads 5 % of each second whatever a real-time thread does.
 * - else `short-slices`: slices of 0.1 ms instead of about 3, a wish that needs no privilege. A thread that wakes then takes the
 *   processor from one with longer slices and gets no larger share of it. Linux heeds it since 6.12 (EEVDF, `sched_runtime` of a
 *   SCHED_OTHER thread).
 * - else `ordinary`: it waits for the end of the others' slices.
 */
export async function scheduleAtOnce(best: LoadScheduling = 'real-time'): Promise<Scheduled> {
  const ordinary = (reason: string): Scheduled => ({ scheduling: 'ordinary', reason, restore() {} });
  if (best === 'ordinary') return ordinary('as asked');
  const numbers = CALLS[process.arch];
  if (process.platform !== 'linux' || !numbers) return ordinary(`not known on ${process.platform} ${process.arch}`);
  try {
    const thread = await openThread(numbers);
    const before = thread.read();
    if (before?.readUInt32LE(ATTRIBUTES.policy) !== SCHED_OTHER)
      return ordinary('it does not run as ordinary threads do');
    const restore = () => void thread.write(before);
    if (best === 'real-time' && thread.write(realTime(before))) return { scheduling: 'real-time', restore };
    const reason = best === 'real-time' ? 'real-time needs CAP_SYS_NICE or a real-time limit' : 'as asked';
    if (thread.write(shortSliced(before)) && thread.read()?.readBigUInt64LE(ATTRIBUTES.runtime) === SHORT_SLICE_NS)
      return { scheduling: 'short-slices', reason, restore };
    return ordinary(`${reason}, short slices Linux 6.12 or later`);
  } catch {
    return ordinary('koffi or the C library can’t be loaded');
  }
}

function realTime(before: Buffer): Buffer {
  const wished = Buffer.from(before);
  wished.writeUInt32LE(SCHED_FIFO, ATTRIBUTES.policy);
  wished.writeUInt32LE(LOWEST_PRIORITY, ATTRIBUTES.priority);
  wished.writeBigUInt64LE(0n, ATTRIBUTES.runtime);
  return wished;
}

function shortSliced(before: Buffer): Buffer {
  const wished = Buffer.from(before);
  wished.writeBigUInt64LE(SHORT_SLICE_NS, ATTRIBUTES.runtime);
  return wished;
}

/** The attributes of the calling thread. */
interface Thread {
  read(): Buffer | undefined;
  write(attributes: Buffer): boolean;
}

async function openThread([set, get]: readonly [number, number]): Promise<Thread> {
  const { default: koffi } = await import('koffi');
  const library = koffi.load('libc.so.6');
  const setAttributes = library.func('syscall', 'long', ['long', 'int', 'void *', 'uint']) as NativeCall;
  const getAttributes = library.func('syscall', 'long', ['long', 'int', 'void *', 'uint', 'uint']) as NativeCall;
  return {
    read() {
      const attributes = Buffer.alloc(ATTRIBUTES.bytes);
      return getAttributes(get, 0, attributes, ATTRIBUTES.bytes, 0) === 0 ? attributes : undefined;
    },
    write: (attributes) => setAttributes(set, 0, attributes, 0) === 0,
  };
}

type NativeCall = (...args: readonly (number | Buffer)[]) => number;
