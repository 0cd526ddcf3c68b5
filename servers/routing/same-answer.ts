import type { IncomingHttpHeaders } from 'node:http';
import {
  decodeGrpcResponse,
  decodeJsonResponse,
  INFER_HEADER,
  MessageReader,
  parseHeaderLength,
  type Tensor,
} from '../protocol/index.js';

/** An answer as it came over HTTP; of gRPC its messages, with the status that they ended with in HTTP's numbers. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/**
 * Whether two answers say the same: status, and output by output name, type, shape and values. What is not an output (model
 * name, id, timings) may differ. FP32 and FP64 may differ by `tolerance`; NaN equals NaN.
 */
export function sameAnswer(a: Answer, b: Answer, tolerance: number): boolean {
  if (a.status !== b.status) return false;
  if (a.status !== 200) return true;
  try {
    const [left, right] = [outputs(a), outputs(b)];
    return left.length === right.length && left.every((tensor, i) => sameTensor(tensor, right[i]!, tolerance));
  } catch {
    // No inference responses: then the bytes tell.
    return a.body.equals(b.body);
  }
}

const KEY = INFER_HEADER.toLowerCase();

function outputs({ headers, body }: Answer): readonly Tensor[] {
  if (headers['content-type']?.startsWith('application/grpc')) {
    const reader = new MessageReader({ maxBytes: body.length });
    reader.feed(body);
    return decodeGrpcResponse(reader.message).outputs;
  }
  return decodeJsonResponse(body, parseHeaderLength(headers[KEY] as string | undefined, body.length)).outputs;
}

function sameTensor(a: Tensor, b: Tensor, tolerance: number): boolean {
  if (a.name !== b.name || a.datatype !== b.datatype || a.shape.join() !== b.shape.join()) return false;
  if (Buffer.compare(a.data, b.data) === 0) return true;
  if (tolerance === 0 || a.data.length !== b.data.length) return false;
  const read = NUMBERS[a.datatype];
  if (!read) return false;
  const [left, right] = [read(a.data), read(b.data)];
  return left.every(
    (value, i) => Math.abs(value - right[i]!) <= tolerance || (Number.isNaN(value) && Number.isNaN(right[i]!)),
  );
}

const NUMBERS: Readonly<Record<string, (data: Uint8Array) => Float32Array | Float64Array>> = {
  FP32: (data) => new Float32Array(Uint8Array.from(data).buffer),
  FP64: (data) => new Float64Array(Uint8Array.from(data).buffer),
};
