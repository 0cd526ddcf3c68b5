import { UserError } from '../../results/errors.js';

/** A message of protobuf's text format: every field with all its values, in order. */
export type TextMessage = ReadonlyMap<string, readonly TextValue[]>;
export type TextValue = string | number | boolean | TextMessage;

/**
 * Reads protobuf's text format, as `config.pbtxt` is written: scalars, enums (as text), nested messages in { } or < >, lists
 * in [ ], strings in either quote and joined where they follow each other, comments from # on. Throws UserError with the line.
 * Source: protobuf.dev, "Text Format Language Specification".
 */
export function readTextProto(text: string, place: string): TextMessage {
  return new Reader(tokensOf(text, place), place).message(undefined);
}

interface Token {
  readonly text: string;
  readonly line: number;
  /** A quoted string's content. */
  readonly quoted?: string | undefined;
}

const TOKEN = /\s+|#[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[{}[\]<>:,;]|[^\s#"'{}[\]<>:,;]+/gy;

function tokensOf(text: string, place: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  let end = 0;
  for (const [found] of text.matchAll(TOKEN)) {
    end += found.length;
    const first = found[0]!;
    if (first === '"' || first === "'") tokens.push({ text: found, line, quoted: unescaped(found.slice(1, -1)) });
    else if (first.trim() !== '' && first !== '#') tokens.push({ text: found, line });
    line += found.split('\n').length - 1;
  }
  if (end < text.length) throw wrong(place, line, 'a string that does not end');
  return tokens;
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, (_, character: string) => ESCAPES[character] ?? character);
}

const CLOSING: Readonly<Record<string, string>> = { '{': '}', '<': '>' };

class Reader {
  #at = 0;

  constructor(
    private readonly tokens: readonly Token[],
    private readonly place: string,
  ) {}

  /** Up to `closing`, or to the end. */
  message(closing: string | undefined): TextMessage {
    const fields = new Map<string, TextValue[]>();
    for (;;) {
      const token = this.#next();
      if (token?.text === closing) return fields;
      if (token === undefined) throw this.#wrong(token, `a message that does not end with ${closing}`);
      if (token.text === ',' || token.text === ';') continue;
      if (token.quoted !== undefined || !/^\w+$/.test(token.text))
        throw this.#wrong(token, `"${token.text}", where a field's name should be`);
      const values = fields.get(token.text) ?? [];
      fields.set(token.text, values);
      values.push(...this.#values(token));
    }
  }

  #values(field: Token): TextValue[] {
    if (this.#peek()?.text === ':') this.#next();
    else if (!CLOSING[this.#peek()?.text ?? '']) throw this.#wrong(this.#peek(), `no ":" after ${field.text}`);
    if (this.#peek()?.text !== '[') return [this.#value()];
    this.#next();
    const values: TextValue[] = [];
    while (this.#peek()?.text !== ']') {
      values.push(this.#value());
      if (this.#peek()?.text === ',') this.#next();
    }
    this.#next();
    return values;
  }

  #value(): TextValue {
    const token = this.#next();
    if (token === undefined) throw this.#wrong(token, 'no value');
    if (token.quoted !== undefined) return this.#joined(token.quoted);
    const closing = CLOSING[token.text];
    if (closing !== undefined) return this.message(closing);
    if (/^[-+.\w]+$/.test(token.text)) return scalar(token.text);
    throw this.#wrong(token, `"${token.text}", where a value should be`);
  }

  #joined(first: string): string {
    let text = first;
    for (let more = this.#peek()?.quoted; more !== undefined; more = this.#peek()?.quoted) {
      text += more;
      this.#next();
    }
    return text;
  }

  #peek(): Token | undefined {
    return this.tokens[this.#at];
  }

  #next(): Token | undefined {
    return this.tokens[this.#at++];
  }

  #wrong(token: Token | undefined, found: string): UserError {
    return wrong(this.place, token?.line ?? this.tokens.at(-1)?.line ?? 1, found);
  }
}

function scalar(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  const number = Number(text);
  return Number.isNaN(number) ? text : number;
}

function wrong(place: string, line: number, found: string): UserError {
  return new UserError({
    place: `${place}:${line}`,
    found,
    allowed: 'protobuf’s text format, like max_batch_size: 8',
  });
}
