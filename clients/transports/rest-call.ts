import type { Dispatcher } from 'undici';
import { nowNs } from '../../results/clock.js';
import { INFER_HEADER, parseHeaderLength } from '../../servers/protocol/json.js';
import { decodeJsonResponse } from '../../servers/protocol/json-response.js';
import type { CallHandle, CallOutcome, CallResult } from './contract.js';
import type { Pending } from './deadlines.js';
import { jsonTimings } from './json-timings.js';
import { brokenCall, codeOfHttp, outcomeOf } from './outcomes.js';

/**
 * One request as undici's dispatcher sees it. The raw form of its handler: the newer one builds an object of the headers
 * for each response.
 */
export class RestCall implements Dispatcher.DispatchHandler, CallHandle, Pending {
  settled = false;
  private abort: ((error?: Error) => void) | undefined;
  private firstByteNs = Number.NaN;
  private status = 0;
  private headers: readonly Buffer[] = [];
  private chunks: Buffer[] = [];

  constructor(private done: (result: CallResult) => void) {}

  cancel(): void {
    this.stop('cancelled', 'cancelled', 'cancelled by the client');
  }

  expire(): void {
    this.stop('timedOut', 'client-timeout', 'no answer within the timeout');
  }

  onConnect(abort: (error?: Error) => void): void {
    this.abort = abort;
    if (this.settled) abort(new Error('cancelled'));
  }

  onHeaders(status: number, headers: Buffer[]): boolean {
    this.firstByteNs = nowNs();
    this.status = status;
    this.headers = headers;
    return true;
  }

  onData(chunk: Buffer): boolean {
    this.chunks.push(chunk);
    return true;
  }

  onComplete(): void {
    if (this.settled) return;
    const completedNs = nowNs();
    const { chunks } = this;
    this.settle(
      this.status === 200 ? this.answer(completedNs, chunks) : this.refusal(completedNs, Buffer.concat(chunks)),
    );
  }

  onError(error: Error): void {
    if (this.settled) return;
    const code = (error as NodeJS.ErrnoException).code ?? error.name;
    this.settle(brokenCall('failed', nowNs(), code, error.message));
  }

  private answer(completedNs: number, chunks: readonly Buffer[]): CallResult {
    const { headers, firstByteNs } = this;
    return {
      outcome: 'ok',
      firstByteNs,
      completedNs,
      // The first chunk holds them; a large body is joined only for whoever asks for it.
      timings: jsonTimings(chunks[0] ?? EMPTY),
      response() {
        const body = Buffer.concat(chunks);
        return decodeJsonResponse(body, parseHeaderLength(headerValue(headers), body.length));
      },
    };
  }

  private refusal(completedNs: number, body: Buffer): CallResult {
    const { message, reason } = errorBody(body);
    return {
      outcome: outcomeOf(codeOfHttp(this.status)),
      firstByteNs: this.firstByteNs,
      completedNs,
      errorCode: reason ?? `HTTP ${this.status}`,
      errorMessage: message,
    };
  }

  private stop(outcome: CallOutcome, code: string, message: string): void {
    if (this.settled) return;
    this.settle(brokenCall(outcome, nowNs(), code, message));
    this.abort?.(new Error(message));
  }

  private settle(result: CallResult): void {
    this.settled = true;
    this.chunks = [];
    const { done } = this;
    this.done = nobody;
    done(result);
  }
}

const EMPTY = Buffer.alloc(0);
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

function headerValue(headers: readonly Buffer[]): string | undefined {
  for (let i = 0; i + 1 < headers.length; i += 2)
    if (headers[i]!.length === INFER_HEADER.length && headers[i]!.toString('latin1').toLowerCase() === HEADER)
      return headers[i + 1]!.toString('latin1');
  return undefined;
}

const HEADER = INFER_HEADER.toLowerCase();
