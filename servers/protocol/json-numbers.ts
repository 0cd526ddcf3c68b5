/**
 * The numbers of JSON tensors, read from and written to bytes: they are nearly all of a body, and neither an object an
 * element nor a text with seventeen digits is needed to carry them.
 */

/**
 * FP32 elements as a JSON array of at most nine significant digits each, which is what brings every float32 back exactly
 * (IEEE 754-2019, 5.12.2). NaN and the infinities are quoted words.
 */
export function float32Text(view: DataView, count: number): string {
  const bytes = room(count * MOST_BYTES + 2);
  let at = 0;
  bytes[at++] = OPEN;
  for (let i = 0; i < count; i++) {
    if (i > 0) bytes[at++] = COMMA;
    at = writeFloat32(bytes, at, view.getFloat32(4 * i, true));
  }
  bytes[at++] = CLOSE;
  return bytes.toString('latin1', 0, at);
}

/** A body whose tensors' `data` have been taken out: in `text` stands the index of the array instead. */
export interface TakenNumbers {
  readonly text: string;
  readonly arrays: readonly Float64Array[];
}

/**
 * Takes the flat number arrays of tensors (`data`, three levels deep) out of a JSON body. Undefined where the general
 * parser must have a look: nested or other elements, more than fifteen digits (they might be rounded here), what is no JSON.
 */
export function takeNumbers(body: Buffer): TakenNumbers | undefined {
  const arrays: Float64Array[] = [];
  let text = '';
  let from = 0;
  let depth = 0;
  for (let at = 0; at < body.length; at++) {
    const byte = body[at]!;
    if (byte === BRACE_OPEN || byte === OPEN) depth++;
    else if (byte === BRACE_CLOSE || byte === CLOSE) depth--;
    else if (byte === QUOTE) {
      const end = closingQuote(body, at);
      if (end < 0) return undefined;
      const isData = depth === 3 && end - at === 5 && body.toString('latin1', at + 1, end) === 'data';
      at = end;
      if (!isData) continue;
      const start = startOfArray(body, end + 1);
      if (start === 0) continue;
      if (start < 0) return undefined;
      const after = readArray(body, start, arrays);
      if (after < 0) return undefined;
      text += `${body.toString('utf8', from, start)}${arrays.length - 1}`;
      from = after;
      at = after - 1;
    }
  }
  return arrays.length === 0 ? undefined : { text: text + body.toString('utf8', from, body.length), arrays };
}

const [QUOTE, COMMA, MINUS, POINT, ZERO, COLON] = [0x22, 0x2c, 0x2d, 0x2e, 0x30, 0x3a];
const [OPEN, BACKSLASH, CLOSE, BRACE_OPEN, BRACE_CLOSE] = [0x5b, 0x5c, 0x5d, 0x7b, 0x7d];

/** `-1.23456789e-45` and the comma. */
const MOST_BYTES = 20;

/** Powers of ten that a double holds exactly. */
const POWERS = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));

let scratch = Buffer.alloc(64 * 1024);

function room(bytes: number): Buffer {
  if (scratch.length < bytes) scratch = Buffer.alloc(Math.max(bytes, 2 * scratch.length));
  return scratch;
}

function writeFloat32(bytes: Buffer, start: number, value: number): number {
  let at = start;
  const size = Math.abs(value);
  if (!(size >= 1e-5 && size < 1e9)) return at + bytes.write(rareText(value), at, 'latin1');
  if (value < 0) bytes[at++] = MINUS;
  // Digits behind the point so that nine are significant; the product is rounded once, far below the ninth.
  let places = size >= 1 ? 8 : 9;
  if (size >= 1) for (let power = 10; power <= size; power *= 10) places--;
  else for (let power = 0.1; size < power && places < 14; power /= 10) places++;
  let whole = Math.floor(size);
  let fraction = Math.round((size - whole) * POWERS[places]!);
  if (fraction === POWERS[places]!) {
    whole++;
    fraction = 0;
  }
  at = writeInteger(bytes, at, whole, 1);
  if (fraction === 0) return at;
  while (fraction % 10 === 0) {
    fraction /= 10;
    places--;
  }
  bytes[at++] = POINT;
  return writeInteger(bytes, at, fraction, places);
}

/** Zeros of both signs, very small and very large ones, and what JSON has no word for. */
function rareText(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  return Number.isFinite(value) ? String(Number(value.toPrecision(9))) : `"${value}"`;
}

/** With zeros in front up to `width` digits; below 2^31. */
function writeInteger(bytes: Buffer, at: number, value: number, width: number): number {
  let digits = 1;
  for (let power = 10; power <= value; power *= 10) digits++;
  if (digits < width) digits = width;
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    const tenth = (rest / 10) | 0;
    bytes[i] = ZERO + (rest - 10 * tenth);
    rest = tenth;
  }
  return at + digits;
}

/** Of the text that begins at `open`; −1: it never ends. */
function closingQuote(body: Buffer, open: number): number {
  for (let at = open + 1; at < body.length; at++) {
    const byte = body[at]!;
    if (byte === BACKSLASH) at++;
    else if (byte === QUOTE) return at;
  }
  return -1;
}

/** Behind the key `data`: the position of `[`; 0: it was no key; −1: something else than an array follows. */
function startOfArray(body: Buffer, at: number): number {
  const colon = skipBlanks(body, at);
  if (body[colon] !== COLON) return 0;
  const start = skipBlanks(body, colon + 1);
  return body[start] === OPEN ? start : -1;
}

function skipBlanks(body: Buffer, at: number): number {
  let next = at;
  while (body[next] === 0x20 || body[next] === 0x0a || body[next] === 0x0d || body[next] === 0x09) next++;
  return next;
}

/** Adds the array; answers the position behind its `]`, −1 where it is not made of plain numbers. */
function readArray(body: Buffer, open: number, arrays: Float64Array[]): number {
  const close = body.indexOf(CLOSE, open);
  if (close < 0) return -1;
  // An element and its comma are two bytes at least.
  const values = new Float64Array((close - open) >> 1);
  let count = 0;
  let at = skipBlanks(body, open + 1);
  if (at === close) {
    arrays.push(values.subarray(0, 0));
    return close + 1;
  }
  for (;;) {
    const negative = body[at] === MINUS;
    if (negative) at++;
    const first = at;
    let mantissa = 0;
    let places = 0;
    let byte = body[at]!;
    while (byte >= ZERO && byte <= 0x39) {
      mantissa = mantissa * 10 + (byte - ZERO);
      byte = body[++at]!;
    }
    const wholeDigits = at - first;
    if (wholeDigits === 0 || (wholeDigits > 1 && body[first] === ZERO)) return -1;
    if (byte === POINT) {
      const point = at;
      byte = body[++at]!;
      while (byte >= ZERO && byte <= 0x39) {
        mantissa = mantissa * 10 + (byte - ZERO);
        byte = body[++at]!;
      }
      places = at - point - 1;
      if (places === 0) return -1;
    }
    let exponent = -places;
    if (byte === 0x65 || byte === 0x45) {
      byte = body[++at]!;
      const down = byte === MINUS;
      if (down || byte === 0x2b) byte = body[++at]!;
      const digits = at;
      let power = 0;
      while (byte >= ZERO && byte <= 0x39 && power < 1000) {
        power = power * 10 + (byte - ZERO);
        byte = body[++at]!;
      }
      if (at === digits) return -1;
      exponent += down ? -power : power;
    }
    // One rounding only, as the general parser's: both factors are exact (Clinger 1990, the fast case).
    if (mantissa >= 1e15 || exponent < -22 || exponent > 22) return -1;
    const value = exponent < 0 ? mantissa / POWERS[-exponent]! : mantissa * POWERS[exponent]!;
    values[count++] = negative ? -value : value;
    at = skipBlanks(body, at);
    if (at === close) break;
    if (body[at] !== COMMA) return -1;
    at = skipBlanks(body, at + 1);
  }
  arrays.push(values.subarray(0, count));
  return close + 1;
}
