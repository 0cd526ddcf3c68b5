import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { clone, create, toBinary } from '@bufbuild/protobuf';
import { fileError } from '../../results/files.js';
import { byteLength } from './dtypes.js';
import { elementsOf, type Initializer, type OnnxModel, type Payload } from './model.js';
import {
  GraphProtoSchema,
  ModelProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProtoSchema,
} from './proto/onnx_pb.js';
import { type FileRange, memorySource } from './source.js';
import { rawBytes, rawStretch } from './values.js';
import { delimitedHead, fieldsOf } from './wire.js';

/** A file that was written. */
export interface WrittenFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface WriteOptions {
  /**
   * Where weights go: `keep` leaves them where they were and moves all into a data file where the model would outgrow
   * 1 GB; `none` puts all into the model, `all` all of 1 KiB or more into the data file.
   */
  readonly external?: 'keep' | 'all' | 'none';
  /** The data file's name, beside the model; default: the model's name and `.data`. */
  readonly dataName?: string;
}

/**
 * Writes a model, and its data file where it has one: first what is wanted of it (`files[0]` is the model). Weights that
 * nobody touched are copied from file to file in pieces. Files appear whole or not at all. Throws UserError.
 */
export function writeModel(model: OnnxModel, path: string, options: WriteOptions = {}): WrittenFile[] {
  const dataName = options.dataName ?? `${basename(path)}.data`;
  const plan = layOut(model, options.external ?? 'keep', dataName);
  const written: WrittenFile[] = [];
  const folder = dirname(path);
  const data = plan.data.length === 0 ? undefined : beginFile(`${folder}/${dataName}`, plan.data);
  try {
    const main = beginFile(path, plan.model);
    data?.finish();
    main.finish();
    written.push(main.file, ...(data ? [data.file] : []));
  } catch (error) {
    data?.discard();
    throw error;
  }
  return written;
}

/** A model whose weights all lie in memory or small files, as the bytes of one ModelProto. */
export function encodeModel(model: OnnxModel): Buffer {
  const { model: parts } = layOut(model, 'none', '');
  const whole = Buffer.alloc(sum(parts.map(lengthOf)));
  let at = 0;
  writeParts(parts, (chunk) => {
    whole.set(chunk, at);
    at += chunk.length;
  });
  return whole;
}

/** Bytes, a stretch of a file, or bytes that are computed when they are written. */
type Part = Uint8Array | FileRange | Extract<Payload, { kind: 'computed' }>;

/** Protobuf ends at 2 GiB; parsers fail earlier. */
const TOO_LARGE = 1e9;
const WORTH_MOVING = 1024;
/** Data that begins on a page can be mapped. */
const PAGE = 4096;
const GRAPH = 7;
const INITIALIZER = 5;

function layOut(model: OnnxModel, where: 'keep' | 'all' | 'none', dataName: string): { model: Part[]; data: Part[] } {
  const constants = [...model.initializers.values()];
  const all = where === 'all' || (where === 'keep' && sum(constants.map(payloadBytes)) > TOO_LARGE);
  const data: Part[] = [];
  let at = 0;
  const tensors = constants.map((constant): Part[] => {
    const external = all ? canMove(constant) : where === 'keep' && constant.payload.kind === 'external';
    if (!external) return inlined(constant);
    const gap = (PAGE - (at % PAGE)) % PAGE;
    const part = rawPart(constant);
    if (gap > 0) data.push(new Uint8Array(gap));
    data.push(part);
    at += gap + lengthOf(part);
    return [externalHeader(constant.header, dataName, at - lengthOf(part), lengthOf(part))];
  });
  // In the schema's order, as protobuf's own writers do: equal models are equal bytes, whoever wrote them.
  const [beforeConstants, afterConstants] = splitAt(toBinary(GraphProtoSchema, model.graph), INITIALIZER);
  const constantParts = tensors.flatMap((parts) => [delimitedHead(INITIALIZER, sum(parts.map(lengthOf))), ...parts]);
  const graph = [beforeConstants, ...constantParts, afterConstants];
  const [beforeGraph, afterGraph] = splitAt(toBinary(ModelProtoSchema, model.head), GRAPH);
  return { model: [beforeGraph, delimitedHead(GRAPH, sum(graph.map(lengthOf))), ...graph, afterGraph], data };
}

/** A message's fields before and after a field number. */
function splitAt(message: Uint8Array, number: number): [Uint8Array, Uint8Array] {
  const source = memorySource(message);
  for (const field of fieldsOf(source, { offset: 0, length: message.length }))
    if (field.number > number) return [message.subarray(0, field.whole.offset), message.subarray(field.whole.offset)];
  return [message, new Uint8Array()];
}

function inlined(constant: Initializer): Part[] {
  const { header, payload } = constant;
  const head = toBinary(TensorProtoSchema, header);
  if (payload.kind === 'spliced')
    return [head, ...payload.fields.map((range): Part => ({ file: payload.file, range }))];
  const part = rawPart(constant);
  return [head, delimitedHead(RAW, lengthOf(part)), part];
}

const RAW = 9;

/** Its raw little-endian bytes as a part; values in typed fields are turned into raw ones. */
function rawPart(constant: Initializer): Part {
  const { payload } = constant;
  if (payload.kind === 'memory') return payload.bytes;
  if (payload.kind === 'computed') return payload;
  return rawStretch(constant) ?? rawBytes(constant);
}

function externalHeader(header: TensorProto, location: string, offset: number, length: number): Uint8Array {
  const moved = clone(TensorProtoSchema, header);
  moved.dataLocation = TensorProto_DataLocation.EXTERNAL;
  moved.externalData = Object.entries({ location, offset: String(offset), length: String(length) }).map(
    ([key, value]) => create(StringStringEntryProtoSchema, { key, value }),
  );
  return toBinary(TensorProtoSchema, moved);
}

function canMove(constant: Initializer): boolean {
  const bytes = byteLength(constant.header.dataType, elementsOf(constant));
  return bytes !== undefined && bytes >= WORTH_MOVING;
}

function payloadBytes({ payload }: Initializer): number {
  if (payload.kind === 'memory') return payload.bytes.length;
  if (payload.kind === 'computed') return payload.length;
  return payload.kind === 'external' ? payload.range.length : sum(payload.fields.map(({ length }) => length));
}

/** Writes parts beside `path`; `finish` puts the file in its place, `discard` removes it. */
function beginFile(path: string, parts: readonly Part[]): { file: WrittenFile; finish(): void; discard(): void } {
  const temporary = `${path}.${process.pid}.tmp`;
  const discard = () => rmSync(temporary, { force: true });
  try {
    mkdirSync(dirname(path), { recursive: true });
    const file = { path, ...copyParts(temporary, parts) };
    return { file, finish: () => renameSync(temporary, path), discard };
  } catch (error) {
    discard();
    throw fileError(path, error, 'the model');
  }
}

function copyParts(path: string, parts: readonly Part[]): { bytes: number; sha256: string } {
  const hash = createHash('sha256');
  const descriptor = openSync(path, 'w');
  let bytes = 0;
  const put = (chunk: Uint8Array) => {
    for (let at = 0; at < chunk.length; ) at += writeSync(descriptor, chunk, at);
    hash.update(chunk);
    bytes += chunk.length;
  };
  try {
    writeParts(parts, put);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  return { bytes, sha256: hash.digest('hex') };
}

const CHUNK = 1 << 20;

/** Hands every part to `put` in pieces, which are good until it returns; files stay open between them. */
function writeParts(parts: readonly Part[], put: (chunk: Uint8Array) => void): void {
  const open = new Map<string, number>();
  const buffer = Buffer.alloc(CHUNK);
  const copy = ({ file, range: { offset, length } }: FileRange) => {
    const descriptor = open.get(file) ?? openSync(file, 'r');
    open.set(file, descriptor);
    for (let done = 0; done < length; ) {
      const got = readSync(descriptor, buffer, 0, Math.min(CHUNK, length - done), offset + done);
      if (got === 0) throw new Error(`${file} has become shorter since it was read`);
      put(buffer.subarray(0, got));
      done += got;
    }
  };
  try {
    for (const part of parts)
      if (part instanceof Uint8Array) put(part);
      else if ('make' in part) for (const chunk of part.make()) put(chunk);
      else copy(part);
  } finally {
    for (const descriptor of open.values()) closeSync(descriptor);
  }
}

function lengthOf(part: Part): number {
  return 'range' in part ? part.range.length : part.length;
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
