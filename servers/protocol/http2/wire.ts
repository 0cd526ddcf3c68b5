/** What a client sends first. Source: RFC 9113, 3.4. */
export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

/** Bytes before each frame's payload. Source: RFC 9113, 4.1. */
export const HEAD_BYTES = 9;

/** Source: RFC 9113, 6. */
export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const FLAG = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 0x20 } as const;

/** Source: RFC 9113, 7. */
export const ERROR = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  SETTINGS_TIMEOUT: 4,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  CONNECT_ERROR: 10,
  ENHANCE_YOUR_CALM: 11,
  INADEQUATE_SECURITY: 12,
  HTTP_1_1_REQUIRED: 13,
} as const;

/** The name that RFC 9113 gives an error code: `REFUSED_STREAM`. */
export function errorName(code: number): string {
  return ERROR_NAMES[code] ?? `error ${code}`;
}

const ERROR_NAMES = Object.keys(ERROR);

/** The largest window, and the largest number that fits 31 bits. */
export const MAX_31 = 2 ** 31 - 1;

/** What breaks the protocol. A connection's ends it (GOAWAY); a StreamError ends one stream (RST_STREAM). */
export class Http2Error extends Error {
  override readonly name: string = 'Http2Error';

  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

export class StreamError extends Http2Error {
  override readonly name = 'StreamError';
}
