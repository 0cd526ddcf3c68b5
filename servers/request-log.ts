import { closeSync, fstatSync, openSync, write } from 'node:fs';
import { nowNs } from '../results/clock.js';
import { messageOf, UserError } from '../results/errors.js';
import { significant } from '../results/units.js';
import type { InferenceService, InferOutcome, InferRequest } from './protocol/index.js';

/** What is logged where; plain data. */
export interface RequestLogSpec {
  /** A file that is appended to, or `-` for standard output. */
  readonly path: string;
  /** Share of requests, 0 … 1; default all. */
  readonly sample?: number | undefined;
  /** Which requests the share is; default 1. */
  readonly seed?: number | undefined;
  /** Lines that wait for the disk; what comes on top is dropped and counted. Default 4 MiB. */
  readonly bufferBytes?: number | undefined;
}

/** What a log came to. */
export interface RequestLogTotals {
  readonly requests: number;
  readonly lines: number;
  /** Lines that found the buffer full, or that the disk refused. */
  readonly dropped: number;
  /** Time of the server's main thread a logged request, writing included. */
  readonly microsecondsPerLine: number | null;
}

export interface RequestLog {
  /** The service with every request counted and the sampled ones logged. */
  over(service: InferenceService): InferenceService;
  /** Writes what waits, and says through `event` what it came to. */
  close(): Promise<RequestLogTotals>;
}

/**
 * A log of one JSON line a request, for looking at what was asked of a server and what became of each. Whether a request is
 * logged is decided by a hash of its number and the seed: the same for the same order of requests, without state or clock.
 * Lines are kept in memory and written in blocks, never waited for: a slow disk costs lines, which are counted and said, not
 * latency. Throws UserError where the file can't be opened.
 */
export function openRequestLog(spec: RequestLogSpec, event: (text: string) => void = () => {}): RequestLog {
  const { sample = 1, seed = 1 } = spec;
  const lines = new Lines(spec, event);
  const threshold = Math.round(sample * 2 ** 32);
  let requests = 0;
  let spentNs = 0;
  return {
    over: (service) => ({
      live: () => service.live(),
      ready: () => service.ready(),
      serverMetadata: () => service.serverMetadata(),
      modelReady: (name, version) => service.modelReady(name, version),
      modelMetadata: (name, version) => service.modelMetadata(name, version),
      modelConfig: (name, version) => service.modelConfig(name, version),
      modelStatistics: (name, version) => service.modelStatistics(name, version),
      feedback: service.feedback && ((name, id, label) => service.feedback!(name, id, label)),
      get repository() {
        return service.repository;
      },
      infer(request, receivedNs, done) {
        const number = requests++;
        if (hash(number, seed) >= threshold) return service.infer(request, receivedNs, done);
        const log = (outcome: InferOutcome | undefined) => {
          const beginNs = nowNs();
          lines.add(lineOf(number, request, beginNs - receivedNs, outcome));
          spentNs += nowNs() - beginNs;
        };
        const ticket = service.infer(request, receivedNs, (outcome) => {
          // The answer first: the log is not on its way.
          done(outcome);
          log(outcome);
        });
        return {
          cancel() {
            ticket.cancel();
            log(undefined);
          },
        };
      },
    }),
    async close() {
      await lines.close();
      const { written, dropped, writingNs } = lines;
      const microsecondsPerLine = written + dropped > 0 ? (spentNs + writingNs) / 1e3 / (written + dropped) : null;
      event(
        `request log ${spec.path}: ${written} lines of ${requests} requests, ${dropped} dropped` +
          (microsecondsPerLine === null ? '' : `, ${significant(microsecondsPerLine)} µs each`),
      );
      return { requests, lines: written, dropped, microsecondsPerLine };
    },
  };
}

/** Durations in ns; `total` is from the first byte to the answer's hand-over, before it is serialised. */
function lineOf(number: number, request: InferRequest, totalNs: number, outcome: InferOutcome | undefined): string {
  const timings = outcome?.timings;
  return `${JSON.stringify({
    time: new Date().toISOString(),
    request: number,
    id: request.id,
    model: request.modelName,
    inputs: request.inputs.map(({ name, datatype, shape, data }) => ({
      name,
      datatype,
      shape,
      bytes: data.byteLength,
    })),
    outcome: outcome === undefined ? 'cancelled' : outcome.ok ? 'ok' : 'error',
    ...(outcome?.ok === false ? { code: outcome.error.code, message: outcome.error.message } : {}),
    totalNs: Math.round(totalNs),
    ...(timings
      ? {
          receiveNs: Math.round(timings.receiveNs),
          queueNs: Math.round(timings.queueNs),
          computeInputNs: Math.round(timings.computeInputNs),
          computeInferNs: Math.round(timings.computeInferNs),
          computeOutputNs: Math.round(timings.computeOutputNs),
          batchSize: timings.batchSize,
          executionId: timings.executionId,
        }
      : {}),
  })}\n`;
}

/** Uniform in [0, 2^32), the same for the same pair: the finaliser of MurmurHash3 over number and seed. */
function hash(number: number, seed: number): number {
  let h = Math.imul(number ^ Math.imul(seed, 0x9e3779b1), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  return (h ^ (h >>> 15)) >>> 0;
}

const BLOCK_BYTES = 64 * 1024;
const LINGER_MS = 200;
const BUFFER_BYTES = 4 * 1024 ** 2;
/** A reader of standard output that stops reading must not hold the server's end. */
const CLOSE_MS = 3000;

/** Lines on their way to a file: one write at a time, the rest waits up to a limit. */
class Lines {
  written = 0;
  dropped = 0;
  writingNs = 0;
  private readonly descriptor: number;
  private readonly limit: number;
  private waiting: string[] = [];
  private waitingBytes = 0;
  private busy = 0;
  private timer: NodeJS.Timeout | undefined;
  private toldDropped = 0;
  private idle: (() => void) | undefined;

  constructor(
    private readonly spec: RequestLogSpec,
    private readonly event: (text: string) => void,
  ) {
    this.descriptor = spec.path === '-' ? 1 : open(spec.path);
    this.limit = spec.bufferBytes ?? BUFFER_BYTES;
  }

  add(line: string): void {
    if (this.waitingBytes + this.busy + line.length > this.limit) {
      this.drop(1, 'its buffer is full: the disk is slower than the requests');
      return;
    }
    this.waiting.push(line);
    this.waitingBytes += line.length;
    if (this.waitingBytes >= BLOCK_BYTES) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), LINGER_MS).unref();
  }

  async close(): Promise<void> {
    clearTimeout(this.timer);
    this.flush();
    if (this.busy > 0)
      await new Promise<void>((resolve) => {
        const late = setTimeout(resolve, CLOSE_MS);
        this.idle = () => {
          clearTimeout(late);
          resolve();
        };
      });
    this.dropped += this.waiting.length;
    if (this.descriptor !== 1) closeSync(this.descriptor);
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.busy > 0 || this.waiting.length === 0) return;
    const beginNs = nowNs();
    const { length } = this.waiting;
    this.busy = this.waitingBytes;
    const block = Buffer.from(this.waiting.join(''));
    this.waiting = [];
    this.waitingBytes = 0;
    this.send(block, 0, length);
    this.writingNs += nowNs() - beginNs;
  }

  /** A write may take a part only; a pipe that is full is tried again. */
  private send(block: Buffer, from: number, count: number): void {
    write(this.descriptor, block, from, block.length - from, null, (error, bytes) => {
      if (error?.code === 'EAGAIN') setTimeout(() => this.send(block, from, count), 10).unref();
      else if (!error && from + bytes < block.length) this.send(block, from + bytes, count);
      else this.sent(error, count);
    });
  }

  private sent(error: NodeJS.ErrnoException | null, count: number): void {
    this.busy = 0;
    if (error) this.drop(count, messageOf(error));
    else this.written += count;
    if (this.waiting.length > 0) this.flush();
    if (this.busy === 0) this.idle?.();
  }

  /** Said at the first, and then each time it has doubled: a log that drops a million lines must not fill another. */
  private drop(count: number, why: string): void {
    this.dropped += count;
    if (this.dropped < this.toldDropped * 2) return;
    this.toldDropped = this.dropped;
    this.event(`request log ${this.spec.path}: ${this.dropped} lines dropped: ${why}`);
  }
}

function open(path: string): number {
  try {
    const descriptor = openSync(path, 'a');
    if (fstatSync(descriptor).isDirectory()) throw new Error('it is a folder');
    return descriptor;
  } catch (error) {
    throw new UserError(
      {
        place: `request log ${path}`,
        found: `can't be opened: ${messageOf(error)}`,
        remedy: 'Name a file, or - for standard output',
      },
      { cause: error },
    );
  }
}
