import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** The last lines that somebody wrote: what he said before he died. */
export class LastLines {
  readonly #lines: string[] = [];
  readonly #keep: number;

  constructor(keep = 20) {
    this.#keep = keep;
  }

  /** Keep the lines of a stream, telling each. */
  follow(stream: Readable | null | undefined, onLine: (line: string) => void = () => {}): void {
    if (!stream) return;
    createInterface({ input: stream }).on('line', (line) => {
      this.#lines.push(line);
      if (this.#lines.length > this.#keep) this.#lines.shift();
      onLine(line);
    });
  }

  get(): readonly string[] {
    return [...this.#lines];
  }
}
