import { bytesToData, dataToBytes } from './json-data.js';
import { takeNumbers } from './json-numbers.js';
import { parseJson } from './json-text.js';
import { invalid, show, toDatatype } from './tensors.js';
import type { Parameters, ParameterValue, Tensor } from './types.js';

/**
 * What requests and responses share in v2 JSON with the binary tensor extension: a body is a JSON header, then the raw
 * content of those tensors that have `parameters.binary_data_size`, one after the other. The HTTP header
 * `Inference-Header-Content-Length` says where the JSON ends; without it all of the body is JSON.
 */
export const INFER_HEADER = 'Inference-Header-Content-Length';

/** A message ready to be sent. */
export class JsonMessage {
  /** The JSON's UTF-8, a character a byte. */
  readonly text: string;
  /** Bytes in all. */
  readonly length: number;
  /** INFER_HEADER's value; undefined: plain JSON. */
  readonly headerLength: number | undefined;

  constructor(
    json: string,
    /** Binary tensors, as they are (no copy). */
    readonly tensors: readonly Uint8Array[],
  ) {
    const bytes = Buffer.byteLength(json, 'utf8');
    this.text = bytes === json.length ? json : Buffer.from(json, 'utf8').toString('latin1');
    this.headerLength = tensors.length === 0 ? undefined : bytes;
    let length = bytes;
    for (const tensor of tensors) length += tensor.length;
    this.length = length;
  }

  /** The JSON, then the tensors. */
  get parts(): readonly Uint8Array[] {
    return [Buffer.from(this.text, 'latin1'), ...this.tensors];
  }
}

/** The value of INFER_HEADER as a number of bytes. Throws INVALID_ARGUMENT where it is none or beyond the body. */
export function parseHeaderLength(value: string | undefined, bodyLength: number): number | undefined {
  if (value === undefined) return undefined;
  const length = /^\d{1,15}$/.test(value.trim()) ? Number(value) : -1;
  if (length >= 0 && length <= bodyLength) return length;
  throw invalid(
    `${INFER_HEADER} is ${show(value)}; expected an integer from 0 to ${bodyLength}, the length of the body`,
  );
}

/** A body's JSON object and its binary rest. Throws INVALID_ARGUMENT. */
export function openBody(body: Uint8Array, headerLength: number | undefined, what: string) {
  const end = headerLength ?? body.length;
  const bytes = Buffer.from(body.buffer, body.byteOffset, end);
  const place = `the ${headerLength === undefined ? 'body' : 'JSON header'} of the ${what}`;
  // With binary tensors the header holds no numbers to speak of.
  const taken = headerLength === undefined ? takeNumbers(bytes) : undefined;
  const head = asObject(parseJson(taken?.text ?? bytes.toString('utf8'), place), what);
  if (taken) for (const list of [head.inputs, head.outputs]) putBack(list, taken.arrays);
  return { head, binary: new BinaryRest(body, end) };
}

/** Tensors get their numbers back, as a Float64Array. */
function putBack(tensors: unknown, arrays: readonly Float64Array[]): void {
  if (!Array.isArray(tensors)) return;
  for (const each of tensors as { data?: unknown }[]) if (typeof each?.data === 'number') each.data = arrays[each.data];
}

/** Hands out the binary part of a body, tensor by tensor, as views. */
export class BinaryRest {
  constructor(
    private readonly body: Uint8Array,
    private at: number,
  ) {}

  take(place: string, size: unknown): Uint8Array {
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
      throw invalid(`${place}: binary_data_size is ${show(size)}; expected a number of bytes`);
    const left = this.body.length - this.at;
    if (size > left)
      throw invalid(`${place}: binary_data_size is ${size}, but only ${left} bytes are left in the body (truncated?)`);
    this.at += size;
    return this.body.subarray(this.at - size, this.at);
  }

  /** Throws INVALID_ARGUMENT where bytes are left over. */
  finish(what: string): void {
    const left = this.body.length - this.at;
    if (left > 0)
      throw invalid(
        `the body of the ${what} has ${left} bytes after its tensors; expected none (see binary_data_size)`,
      );
  }
}

/** A tensor of a message. `place` is `input "x"`. Throws INVALID_ARGUMENT. */
export function decodeTensor(value: unknown, place: string, binary: BinaryRest): Tensor {
  const object = asObject(value, place);
  const name = asString(object.name, `${place}.name`);
  const named = `${place.replace(/\[\d+\]$/, '')} "${name}"`;
  const datatype = toDatatype(object.datatype, named);
  const shape = asShape(object.shape, named);
  const parameters = decodeParameters(object.parameters, `${named}.parameters`);
  const size = parameters?.binary_data_size;
  if (parameters?.shared_memory_region !== undefined)
    throw invalid(`${named}: shared memory is not supported; expected "data" or binary data`);
  if (size === undefined)
    return tensor(name, datatype, shape, dataToBytes(named, datatype, shape, object.data), parameters);
  if (object.data !== undefined) throw invalid(`${named}: has "data" and binary_data_size; expected one of the two`);
  const { binary_data_size: _, ...rest } = parameters ?? {};
  return tensor(name, datatype, shape, binary.take(named, size), rest);
}

/** JSON text of a tensor, with its content or with the length of its binary content. */
export function tensorText(item: Tensor, binary: boolean): string {
  const head = `{"name":${quoted(item.name)},"datatype":"${item.datatype}","shape":[${item.shape.join(',')}]`;
  if (binary && item.parameters === undefined) return `${head},"parameters":{"binary_data_size":${item.data.length}}}`;
  const parameters = { ...item.parameters, ...(binary ? { binary_data_size: item.data.length } : {}) };
  return `${head}${parametersText(parameters)}${binary ? '' : `,"data":${bytesToData(item)}`}}`;
}

/** As JSON; of names, which are the same few again and again. */
export function quoted(name: string): string {
  const known = quotedNames.get(name);
  if (known !== undefined) return known;
  const text = JSON.stringify(name);
  if (quotedNames.size >= MAX_NAMES) quotedNames.clear();
  quotedNames.set(name, text);
  return text;
}

const quotedNames = new Map<string, string>();
const MAX_NAMES = 256;

/** `,"parameters":{…}`, or nothing where there are none. */
export function parametersText(parameters: Parameters | undefined): string {
  const entries = parameterEntries(parameters);
  return entries === '' ? '' : `,"parameters":{${entries}}`;
}

/** `"key":value,…`; 64-bit integers keep their digits. */
export function parameterEntries(parameters: Parameters | undefined): string {
  let text = '';
  for (const key in parameters) {
    const value = parameters[key]!;
    const digits = typeof value === 'bigint' ? String(value) : JSON.stringify(value);
    text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${digits}`;
  }
  return text;
}

/** Parameters of a message or tensor; undefined where there are none. Throws INVALID_ARGUMENT. */
export function decodeParameters(value: unknown, place: string): Parameters | undefined {
  if (value === undefined || value === null) return undefined;
  const object = asObject(value, place);
  for (const key in object) {
    if (!isParameter(object[key]))
      throw invalid(`${place}.${key} is ${show(object[key])}; expected a string, a number or a boolean`);
  }
  return object as Parameters;
}

export function asObject(value: unknown, place: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw invalid(`${place} is ${show(value)}; expected an object`);
}

export function asArray(value: unknown, place: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw invalid(`${place} is ${show(value)}; expected an array`);
}

export function asString(value: unknown, place: string): string {
  if (typeof value === 'string') return value;
  throw invalid(`${place} is ${show(value)}; expected a string`);
}

/** Absent or null is undefined. */
export function asOptionalString(value: unknown, place: string): string | undefined {
  return value === undefined || value === null ? undefined : asString(value, place);
}

function asShape(value: unknown, place: string): readonly number[] {
  const shape = asArray(value, `${place}: shape`);
  for (const dim of shape) {
    if (typeof dim !== 'number' || !Number.isSafeInteger(dim) || dim < 0)
      throw invalid(`${place}: shape is ${show(shape)}; expected an array of integers ≥ 0`);
  }
  return shape as readonly number[];
}

function isParameter(value: unknown): value is ParameterValue {
  return ['string', 'number', 'boolean', 'bigint'].includes(typeof value);
}

function tensor(
  name: string,
  datatype: Tensor['datatype'],
  shape: readonly number[],
  data: Uint8Array,
  parameters: Parameters | undefined,
): Tensor {
  const has = parameters !== undefined && Object.keys(parameters).length > 0;
  return has ? { name, datatype, shape, data, parameters } : { name, datatype, shape, data };
}
