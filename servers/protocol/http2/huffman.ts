import { ERROR, Http2Error } from './wire.js';

/**
 * Bits of each byte's code, then of the end mark's. The code is canonical: codes of one length count up in the order of
 * their bytes, and shorter ones come first, so that the lengths say all. Source: RFC 7541, appendix B.
 */
const LENGTHS = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
  28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6,
  5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23,
  22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22,
  23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26,
  20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27,
  27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27,
  27, 27, 27, 26, 30,
];

/** Decodes Huffman-coded text. Throws COMPRESSION_ERROR for what is not the code. Source: RFC 7541, 5.2. */
export function decodeHuffman(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  let node = 0;
  let bits = 0;
  let ones = true;
  for (let at = from; at < to; at++) {
    const byte = bytes[at]!;
    for (let bit = 7; bit >= 0; bit--) {
      const one = (byte >> bit) & 1;
      node = TREE[node + one]!;
      bits++;
      ones &&= one === 1;
      if (node >= 0) continue;
      const symbol = ~node;
      if (symbol === END) throw new Http2Error(ERROR.COMPRESSION_ERROR, 'a Huffman-coded text holds the end mark');
      text += String.fromCharCode(symbol);
      node = 0;
      bits = 0;
      ones = true;
    }
  }
  // What is left is the beginning of the end mark, shorter than a byte.
  if (bits > 7 || !ones) throw new Http2Error(ERROR.COMPRESSION_ERROR, 'a Huffman-coded text is padded wrongly');
  return text;
}

const END = 256;

/** Two children a node: where the next one begins, or the complement of a symbol. */
const TREE = plant();

function plant(): Int16Array {
  const tree = new Int16Array(2 * (LENGTHS.length - 1));
  let used = 2;
  let code = 0;
  let before = 0;
  for (const symbol of [...LENGTHS.keys()].sort((a, b) => LENGTHS[a]! - LENGTHS[b]! || a - b)) {
    const length = LENGTHS[symbol]!;
    code <<= length - before;
    before = length;
    let node = 0;
    for (let bit = length - 1; bit > 0; bit--) {
      const child = node + ((code >> bit) & 1);
      if (tree[child] === 0) {
        tree[child] = used;
        used += 2;
      }
      node = tree[child]!;
    }
    tree[node + (code & 1)] = ~symbol;
    code++;
  }
  return tree;
}
