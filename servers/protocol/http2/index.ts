/** HTTP/2 by hand, for both sides of gRPC: a state machine without I/O (connection.ts), and its tie to a socket (link.ts). */
export type { Headers } from './headers.js';
export type { Field } from './hpack-static.js';
export { Http2Link } from './link.js';
export type { Http2Stream, StreamSink } from './stream.js';
export { ERROR } from './wire.js';
