import type { Exchange } from './http1-pool.js';

export interface TextAnswer {
  readonly status: number;
  readonly text: string;
}

/** A request for a text, outside of any measurement. Rejects where there is no answer, or when `signal` aborts. */
export function askForText<Message>(
  dispatch: (exchange: Exchange<Message>) => void,
  message: Message,
  signal: AbortSignal,
): Promise<TextAnswer> {
  return new Promise((resolve, reject) => {
    const question = new Question(message, resolve, reject);
    if (signal.aborted) question.abort(signal.reason);
    else {
      signal.addEventListener('abort', () => question.abort(signal.reason), { once: true });
      dispatch(question);
    }
  });
}

class Question<Message> implements Exchange<Message> {
  settled = false;
  private status = 0;
  private connection: { destroy(): void } | undefined;
  private readonly chunks: Buffer[] = [];

  constructor(
    readonly message: Message,
    private readonly resolve: (answer: TextAnswer) => void,
    private readonly reject: (reason: unknown) => void,
  ) {}

  sent(connection: { destroy(): void }): void {
    this.connection = connection;
  }

  head(status: number): void {
    this.status = status;
  }

  body(bytes: Buffer): void {
    this.chunks.push(Buffer.from(bytes));
  }

  end(): void {
    this.settled = true;
    this.resolve({ status: this.status, text: Buffer.concat(this.chunks).toString('utf8') });
  }

  failed(code: string, message: string): void {
    this.settled = true;
    this.reject(new Error(message.includes(code) ? message : `${code}: ${message}`));
  }

  abort(reason: unknown): void {
    if (this.settled) return;
    this.settled = true;
    this.reject(reason);
    this.connection?.destroy();
  }
}
