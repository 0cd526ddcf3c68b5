import { OUTCOMES, type RecordTable } from '../results/record.js';
import type { Encode } from './encoded.js';
import { Live } from './live.js';
import type { ClientProcessing } from './processing.js';
import type { Timeline } from './timeline.js';
import type { CallHandle, CallResult, Encoded, Transport } from './transports/index.js';

/** How answers are judged, by a metric's own numbers (results/accuracy); NaN: unknown. */
export type Judge = (sample: number, result: CallResult) => number;

/** … and where its numbers are kept. */
export interface Judging {
  readonly judge: Judge;
  readonly kind: 'share' | 'number';
}

/**
 * Sends requests and fills one row of the table for each. Rows are in order of sending; times are ns from `originNs`.
 * In flight it keeps a handle a request, so that all can be cancelled.
 */
export class Requests {
  readonly live = new Live();
  private readonly handles = new Map<number, CallHandle>();
  private idle: (() => void) | undefined;
  private patience: NodeJS.Timeout | undefined;

  constructor(
    readonly table: RecordTable,
    private readonly originNs: number,
    private readonly warmUp: boolean,
    private readonly timeline: Timeline,
    private readonly transport: Transport,
    private readonly encoded: Encode,
    private readonly judging?: Judging,
    private readonly processing?: ClientProcessing,
  ) {
    if (processing) table.processedAt = 'client';
  }

  get inFlight(): number {
    return this.live.issued - this.live.completed;
  }

  readonly send = (
    sample: number,
    query: number,
    dueNs: number,
    done: (completedNs: number, ok: boolean) => void,
    kind: number,
  ): void => {
    const row = this.addRow(sample, query, dueNs, kind);
    const payload = this.processing ? undefined : this.encoded(sample, kind);
    this.live.issued++;
    this.table.issuedNs[row] = this.timeline.now() - this.originNs;
    const completed = (result: CallResult) => {
      this.complete(row, result);
      done(result.completedNs - this.originNs, result.outcome === 'ok');
      if (this.inFlight === 0) this.idle?.();
    };
    if (this.processing) this.process(this.processing, row, sample, completed);
    else this.call(row, payload, completed);
  };

  private call(row: number, payload: Encoded, completed: (result: CallResult) => void): void {
    const handle = this.transport.infer(payload, (result) => {
      this.handles.delete(row);
      completed(result);
    });
    if (this.table.outcome[row] === UNFINISHED) this.handles.set(row, handle);
  }

  /** The request's own processors run here: before the call, and between its answer and its end. */
  private process(
    processing: ClientProcessing,
    row: number,
    sample: number,
    completed: (result: CallResult) => void,
  ): void {
    const { table, originNs, timeline } = this;
    processing.prepare(sample, (made) => {
      const now = timeline.now();
      table.preprocessNs[row] = now - originNs - table.issuedNs[row]!;
      if ('error' in made) {
        const result = { outcome: 'failed', firstByteNs: Number.NaN, completedNs: now, errorCode: made.error } as const;
        // Not from inside of `send`: a loop that is told at once would go on inside of itself.
        setImmediate(() => completed(result));
        return;
      }
      this.call(row, made.payload, (answer) =>
        processing.finish(answer, (result) => {
          if (result.outcome === 'ok') table.postprocessNs[row] = result.completedNs - answer.completedNs;
          completed(result);
        }),
      );
    });
  }

  /** A request that was due but never sent. */
  addRow(sample: number, query: number, dueNs: number, kind: number): number {
    const { table } = this;
    const row = table.length++;
    table.sequence[row] = row;
    table.query[row] = query;
    table.sampleIndex[row] = sample;
    table.rows[row] = 1;
    table.dueNs[row] = dueNs;
    if (table.tenants.length > 1) table.tenant[row] = kind;
    table.warmUp[row] = this.warmUp ? 1 : 0;
    return row;
  }

  /** Resolves when nothing is in flight; what still is after `patienceMs` is cancelled. */
  async drain(patienceMs: number): Promise<void> {
    if (this.inFlight === 0) return;
    if (!this.patience) this.cancelAfter(patienceMs);
    await new Promise<void>((resolve) => {
      this.idle = resolve;
    });
    clearTimeout(this.patience);
  }

  /** Replaces the patience of a drain. */
  cancelAfter(patienceMs: number): void {
    clearTimeout(this.patience);
    if (this.inFlight > 0) this.patience = setTimeout(() => this.cancelAll(), patienceMs);
  }

  private cancelAll(): void {
    for (const handle of [...this.handles.values()]) handle.cancel();
  }

  private complete(row: number, result: CallResult): void {
    const { table, originNs } = this;
    table.completedNs[row] = result.completedNs - originNs;
    table.sentNs[row] = (result.sentNs ?? Number.NaN) - originNs;
    table.firstByteNs[row] = result.firstByteNs - originNs;
    table.outcome[row] = OUTCOMES.indexOf(result.outcome);
    if (result.outcome !== 'ok') table.error[row] = table.errorNumber(result.errorCode ?? result.outcome);
    else if (this.judging) this.keep(row, this.judging.judge(table.sampleIndex[row]!, result));
    if (result.timings) this.copyTimings(row, result.timings);
    this.live.add(result.outcome === 'ok', result.completedNs - originNs - table.dueNs[row]!);
  }

  private keep(row: number, judgement: number): void {
    if (Number.isNaN(judgement)) return;
    if (this.judging!.kind === 'share') this.table.correct[row] = judgement;
    else this.table.judgement[row] = judgement;
  }

  private copyTimings(row: number, timings: NonNullable<CallResult['timings']>): void {
    const { table } = this;
    table.receiveNs[row] = timings.receiveNs;
    table.queueNs[row] = timings.queueNs;
    table.computeInputNs[row] = timings.computeInputNs;
    table.computeInferNs[row] = timings.computeInferNs;
    table.computeOutputNs[row] = timings.computeOutputNs;
    table.serialiseNs[row] = timings.serialiseNs;
    table.serverSeenNs[row] = timings.arrivalNs ?? Number.NaN;
    table.serverTotalNs[row] = timings.totalNs ?? Number.NaN;
    table.loadNs[row] = timings.loadNs ?? Number.NaN;
    table.variant[row] = timings.variant ?? 0;
    table.batchSize[row] = timings.batchSize;
    table.executionId[row] = timings.executionId;
    if (timings.preprocessNs === undefined && timings.postprocessNs === undefined) return;
    table.processedAt = 'server';
    table.preprocessNs[row] = timings.preprocessNs ?? Number.NaN;
    table.postprocessNs[row] = timings.postprocessNs ?? Number.NaN;
  }
}

const UNFINISHED = OUTCOMES.indexOf('unfinished');
