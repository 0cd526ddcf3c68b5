import fc from 'fast-check';
import { toBf16, toFp16 } from '../../servers/protocol/half.js';
import { ELEMENT_BYTES, joinBytes } from '../../servers/protocol/tensors.js';
import { DATATYPES, type Datatype, type Tensor } from '../../servers/protocol/types.js';

/** Any tensor whose content has a JSON form: floats without NaN payloads, BOOL 0 or 1, BYTES of UTF-8 text. */
export const anyTensor: fc.Arbitrary<Tensor> = fc
  .record({
    name: fc.string({ minLength: 1, unit: 'grapheme' }),
    datatype: fc.constantFrom(...DATATYPES),
    shape: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 3 }),
  })
  .chain(({ name, datatype, shape }) => {
    const count = shape.reduce((product, dim) => product * dim, 1);
    return content(datatype, count).map((data) => ({ name, datatype, shape, data }));
  });

function content(datatype: Datatype, count: number): fc.Arbitrary<Uint8Array> {
  const exactly = { minLength: count, maxLength: count };
  const floats = fc.array(fc.double(), exactly);
  if (datatype === 'BYTES')
    return fc
      .array(fc.string({ unit: 'binary' }), exactly)
      .map((texts) => new Uint8Array(joinBytes(texts.map((text) => Buffer.from(text, 'utf8')))));
  if (datatype === 'BOOL') return fc.uint8Array({ ...exactly, max: 1 });
  if (datatype === 'FP64') return floats.map((values) => bytesOf(Float64Array.from(values)));
  if (datatype === 'FP32') return floats.map((values) => bytesOf(Float32Array.from(values)));
  if (datatype === 'FP16') return floats.map((values) => bytesOf(Uint16Array.from(values.map(toFp16))));
  if (datatype === 'BF16') return floats.map((values) => bytesOf(Uint16Array.from(values.map(toBf16))));
  const bytes = count * ELEMENT_BYTES[datatype];
  return fc.uint8Array({ minLength: bytes, maxLength: bytes });
}

function bytesOf(array: Float64Array | Float32Array | Uint16Array): Uint8Array {
  return new Uint8Array(array.buffer);
}
