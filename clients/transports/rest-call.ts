import { nowNs } from '../../results/clock.js';
import { decodeJsonResponse, INFER_HEADER, parseHeaderLength } from '../../servers/protocol/index.js';
import type { CallHandle, CallOutcome, CallResult } from './contract.js';
import type { Pending } from './deadlines.js';
import type { Exchange } from './http1-pool.js';
import { jsonTimings, TIMINGS_WITHIN } from './json-timings.js';
import { brokenCall, codeOfHttp, outcomeOf } from './outcomes.js';

/** One inference over HTTP/1.1. */
export class RestCall<Message> implements Exchange<Message>, CallHandle, Pending {
  settled = false;
  private connection: { destroy(): void } | undefined;
  private sentNs = Number.NaN;
  private firstByteNs = Number.NaN;
  private status = 0;
  private headers = '';
  /** The body's beginning. */
  private beginning = '';
  private chunks: Buffer[] = [];

  /** Without `keepBody` the result has no `response`: whoever looks at the time only spares itself the memory. */
  constructor(
    readonly message: Message,
    private readonly keepBody: boolean,
    private done: (result: CallResult) => void,
  ) {}

  cancel(): void {
    this.stop('cancelled', 'cancelled', 'cancelled by the client');
  }

  expire(): void {
    this.stop('timedOut', 'client-timeout', 'no answer within the timeout');
  }

  sent(connection: { destroy(): void }): void {
    this.connection = connection;
  }

  written(): void {
    if (Number.isNaN(this.sentNs)) this.sentNs = nowNs();
  }

  head(status: number, text: string): void {
    this.firstByteNs = nowNs();
    this.status = status;
    this.headers = text;
  }

  body(bytes: Buffer): void {
    if (this.beginning.length < TIMINGS_WITHIN)
      this.beginning += bytes.toString('latin1', 0, TIMINGS_WITHIN - this.beginning.length);
    if (this.keepBody || this.status !== 200) this.chunks.push(Buffer.from(bytes));
  }

  end(): void {
    if (this.settled) return;
    const completedNs = nowNs();
    this.settle(this.status === 200 ? this.answer(completedNs) : this.refusal(completedNs));
  }

  failed(code: string, message: string): void {
    if (!this.settled) this.settle(brokenCall('failed', nowNs(), code, message));
  }

  private answer(completedNs: number): CallResult {
    const { sentNs, firstByteNs, headers, chunks } = this;
    const timings = jsonTimings(this.beginning);
    if (!this.keepBody) return { outcome: 'ok', sentNs, firstByteNs, completedNs, timings };
    const response = () => {
      const body = Buffer.concat(chunks);
      return decodeJsonResponse(body, parseHeaderLength(HEADER.exec(headers)?.[1], body.length));
    };
    return { outcome: 'ok', sentNs, firstByteNs, completedNs, timings, response };
  }

  private refusal(completedNs: number): CallResult {
    const { message, reason } = errorBody(Buffer.concat(this.chunks));
    return {
      outcome: outcomeOf(codeOfHttp(this.status)),
      sentNs: this.sentNs,
      firstByteNs: this.firstByteNs,
      completedNs,
      errorCode: reason ?? `HTTP ${this.status}`,
      errorMessage: message,
    };
  }

  private stop(outcome: CallOutcome, code: string, message: string): void {
    if (this.settled) return;
    this.settle(brokenCall(outcome, nowNs(), code, message));
    this.connection?.destroy();
  }

  private settle(result: CallResult): void {
    this.settled = true;
    const { done } = this;
    this.done = nobody;
    done(result);
  }
}

const HEADER = new RegExp(`^${INFER_HEADER}: *(.*)$`, 'im');
const nobody = (): void => {};

/** A v2 error object: `{"error": "…"}`, with our server's `reason` where it has one. */
function errorBody(body: Buffer): { readonly message: string; readonly reason?: string } {
  const text = body.toString('utf8', 0, 4096);
  try {
    const parsed = JSON.parse(text) as { readonly error?: unknown; readonly reason?: unknown } | null;
    const message = typeof parsed?.error === 'string' ? parsed.error : text;
    return typeof parsed?.reason === 'string' ? { message, reason: parsed.reason } : { message };
  } catch {
    return { message: text };
  }
}
