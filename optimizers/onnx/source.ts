import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { messageOf, UserError } from '../../results/errors.js';
import { systemCode } from '../../results/files.js';

/** A stretch of a file, in bytes. */
export interface Range {
  readonly offset: number;
  readonly length: number;
}

/** A stretch and its file. */
export interface FileRange {
  readonly file: string;
  readonly range: Range;
}

/** A file read at random, in pieces: whatever its size, memory holds one window of it. */
export interface ByteSource {
  readonly path: string;
  readonly size: number;
  /** A copy of that stretch. Throws UserError where the file ends before it does. */
  read(range: Range): Uint8Array;
  /** One byte, through a window. */
  byte(offset: number): number;
  close(): void;
}

const WINDOW = 1 << 16;

/** Opens a file for `read`. Throws UserError where there is none, or nothing in it. */
function openSource(path: string): ByteSource {
  const descriptor = open(path);
  const size = fstatSync(descriptor).size;
  const window = Buffer.alloc(WINDOW);
  let start = -1;
  let end = -1;
  const fill = (into: Uint8Array, offset: number): number => {
    let at = 0;
    while (at < into.length) {
      const got = readSync(descriptor, into, at, Math.min(into.length - at, 1 << 30), offset + at);
      if (got === 0) break;
      at += got;
    }
    return at;
  };
  return {
    path,
    size,
    read({ offset, length }) {
      if (offset + length > size) throw cut(path, offset, length, size);
      const bytes = new Uint8Array(length);
      if (fill(bytes, offset) < length) throw cut(path, offset, length, size);
      return bytes;
    },
    byte(offset) {
      if (offset >= size) throw cut(path, offset, 1, size);
      if (offset < start || offset >= end) {
        start = offset;
        end = offset + fill(window, offset);
      }
      return window[offset - start]!;
    },
    close: () => closeSync(descriptor),
  };
}

/** What `use` makes of an open file, which is closed afterwards. */
export function withSource<T>(path: string, use: (source: ByteSource) => T): T {
  const source = openSource(path);
  try {
    return use(source);
  } finally {
    source.close();
  }
}

/** Bytes in memory, read as a file is. */
export function memorySource(bytes: Uint8Array): ByteSource {
  return {
    path: 'memory',
    size: bytes.length,
    read: ({ offset, length }) => bytes.slice(offset, offset + length),
    byte: (offset) => bytes[offset]!,
    close: () => {},
  };
}

function open(path: string): number {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    const found = systemCode(error) === 'ENOENT' ? 'there is no such file' : `it can't be opened (${messageOf(error)})`;
    throw new UserError({ place: path, found, remedy: 'Give the path of an .onnx file' }, { cause: error });
  }
  const stat = fstatSync(descriptor);
  if (stat.isFile() && stat.size > 0) return descriptor;
  closeSync(descriptor);
  throw new UserError({
    place: path,
    found: stat.isFile() ? 'the file is empty' : 'it is no file',
    allowed: 'an .onnx file',
  });
}

function cut(path: string, offset: number, length: number, size: number): UserError {
  return new UserError({
    place: path,
    found: `${length} bytes are announced at byte ${offset}, but the file has only ${size}: it is no ONNX model, or was cut short`,
    remedy: 'Fetch or export the model again',
  });
}
