import { dataToBytes } from '../../servers/protocol/json-data.js';
import { DATATYPES, type Tensor } from '../../servers/protocol/types.js';

const VALUES: Readonly<Record<string, readonly unknown[]>> = {
  BOOL: [true, false, true],
  UINT64: [0, 1, 18446744073709551615n],
  INT64: [-9223372036854775808n, 0, 9223372036854775807n],
  FP16: [1.5, -0.25, 65504],
  BF16: [1.5, -0.25, 1024],
  FP32: [1.5, -0.25, 3e38],
  FP64: [1.5, -0.1, 1e308],
  BYTES: ['text', '', 'ä\u0000ß'],
};

/** The inputs of the model `everything`: one of each datatype, `[1,3]`, with its extremes. */
export function eachDatatype(): Tensor[] {
  return DATATYPES.map((datatype) => ({
    name: `in_${datatype}`,
    datatype,
    shape: [1, 3],
    data: dataToBytes('input', datatype, [1, 3], VALUES[datatype] ?? [1, 2, 3]),
  }));
}
