import type { Datatype } from '../../servers/protocol/index.js';

/** An array as NumPy saved it: C order, little-endian. */
export interface NpyArray {
  /** Undefined for a structure or a type that KServe v2 does not have. */
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** A view into the file's bytes. */
  readonly data: Uint8Array;
}

/**
 * Reads a .npy file, format versions 1 to 3. Fortran order, big-endian numbers, objects and structured types are refused.
 * Throws Error that says what was found and what is allowed. Source: NumPy Enhancement Proposal 1 (`numpy.lib.format`).
 */
export function parseNpy(bytes: Uint8Array): NpyArray {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.length < 12 || file.toString('latin1', 0, 6) !== '\x93NUMPY') throw new Error('is no .npy file');
  const version = file[6]!;
  if (version < 1 || version > 3) throw new Error(`has .npy format version ${version}; 1 to 3 are known`);
  const start = version === 1 ? 10 : 12;
  const end = start + (version === 1 ? file.readUInt16LE(8) : file.readUInt32LE(8));
  const header = file.toString(version === 3 ? 'utf8' : 'latin1', start, end);
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(header)?.[1];
  const fortran = /'fortran_order'\s*:\s*(True|False)/.exec(header)?.[1];
  const shape = /'shape'\s*:\s*\(([^)]*)\)/.exec(header)?.[1];
  if (descr === undefined || fortran === undefined || shape === undefined)
    throw new Error(`has a header that is not understood: ${header.trim().slice(0, 100)}`);
  const dims = shape.split(',').flatMap((dim) => (dim.trim() ? [Number(dim)] : []));
  // One dimension or fewer is laid out the same in both orders.
  if (fortran === 'True' && dims.length > 1)
    throw new Error('is in Fortran order; save np.ascontiguousarray(x) instead');
  return { datatype: datatypeOf(descr), shape: dims, data: content(file.subarray(end), descr, dims) };
}

const DESCR: Readonly<Record<string, Datatype>> = {
  b1: 'BOOL',
  u1: 'UINT8',
  u2: 'UINT16',
  u4: 'UINT32',
  u8: 'UINT64',
  i1: 'INT8',
  i2: 'INT16',
  i4: 'INT32',
  i8: 'INT64',
  f2: 'FP16',
  f4: 'FP32',
  f8: 'FP64',
};

function datatypeOf(descr: string): Datatype {
  const datatype = DESCR[descr.slice(1)];
  if (descr.startsWith('>') && datatype)
    throw new Error(`holds big-endian ${datatype}; save x.astype('<${descr.slice(1)}')`);
  if (datatype && /^[<|=]/.test(descr)) return datatype;
  throw new Error(`holds type '${descr}'; allowed are bool, (u)int8…64 and float16…64, little-endian`);
}

function content(data: Buffer, descr: string, dims: readonly number[]): Uint8Array {
  const expected = dims.reduce((product, dim) => product * dim, Number(descr.slice(2)));
  if (data.length === expected) return data;
  throw new Error(`holds ${data.length} bytes of data; its shape (${dims.join(', ')}) needs ${expected}`);
}
