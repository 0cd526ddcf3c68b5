import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HpackDecoder } from '../../../../servers/protocol/http2/hpack-decoder.js';
import { HpackEncoder } from '../../../../servers/protocol/http2/hpack-encoder.js';
import type { Field } from '../../../../servers/protocol/http2/hpack-static.js';

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
const decode = (decoder: HpackDecoder, bytes: Buffer) => decoder.decode(bytes, 0, bytes.length);
/** A change of the table's size to 256, as the examples of responses have it. */
const SIZE_256 = '3fe101';

const DATE_21: Field = ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'];
const PRIVATE: Field = ['cache-control', 'private'];
const LOCATION: Field = ['location', 'https://www.example.com'];
const GET = [':method', 'GET'] as const;
const WWW = [':authority', 'www.example.com'] as const;

const REQUESTS: Field[][] = [
  [GET, [':scheme', 'http'], [':path', '/'], WWW],
  [GET, [':scheme', 'http'], [':path', '/'], WWW, ['cache-control', 'no-cache']],
  [GET, [':scheme', 'https'], [':path', '/index.html'], WWW, ['custom-key', 'custom-value']],
];
const RESPONSES: Field[][] = [
  [[':status', '302'], PRIVATE, DATE_21, LOCATION],
  [[':status', '307'], PRIVATE, DATE_21, LOCATION],
  [
    [':status', '200'],
    PRIVATE,
    ['date', 'Mon, 21 Oct 2013 20:13:22 GMT'],
    LOCATION,
    ['content-encoding', 'gzip'],
    ['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'],
  ],
];

/** Source of the bytes: RFC 7541, C.3 to C.6. */
const EXAMPLES: readonly { name: string; coded: boolean; fields: Field[][]; blocks: string[] }[] = [
  {
    name: 'C.3 requests',
    coded: false,
    fields: REQUESTS,
    blocks: [
      '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
      '8286 84be 5808 6e6f 2d63 6163 6865',
      '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
    ],
  },
  {
    name: 'C.4 requests, Huffman-coded',
    coded: true,
    fields: REQUESTS,
    blocks: [
      '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
      '8286 84be 5886 a8eb 1064 9cbf',
      '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
    ],
  },
  {
    name: 'C.5 responses, a table of 256 bytes',
    coded: false,
    fields: RESPONSES,
    blocks: [
      `${SIZE_256} 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133
       2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
      '4803 3330 37c1 c0bf',
      `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970
       7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61
       6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31`,
    ],
  },
  {
    name: 'C.6 responses, Huffman-coded',
    coded: true,
    fields: RESPONSES,
    blocks: [
      `${SIZE_256} 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6
       2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3`,
      '4883 640e ffc1 c0bf',
      `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2
       e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07`,
    ],
  },
];

describe('HPACK', () => {
  test.each(EXAMPLES)('the examples of RFC 7541 are read: $name', ({ fields, blocks }) => {
    const decoder = new HpackDecoder(10_000);
    expect(blocks.map((block) => decode(decoder, hex(block)).fields)).toEqual(fields);
  });

  test.each(EXAMPLES.filter(({ coded }) => !coded))('and written: $name', ({ fields, blocks }) => {
    const encoder = new HpackEncoder();
    if (blocks[0]!.startsWith(SIZE_256)) encoder.allow(256);
    expect(fields.map((list) => Buffer.from(encoder.encode(list)).toString('hex'))).toEqual(
      blocks.map((block) => hex(block).toString('hex')),
    );
  });

  test('from the second time on a gRPC head is a byte a field, and the same object when it is read', () => {
    const head: Field[] = [
      [':method', 'POST'],
      [':path', '/a.B/C'],
      ['te', 'trailers'],
    ];
    const encoder = new HpackEncoder();
    const decoder = new HpackDecoder(10_000);
    const read = () => decode(decoder, Buffer.from(encoder.encode(head)));
    const blocks = [read(), read(), read()];
    expect(blocks.map(({ fields }) => fields)).toEqual([head, head, head]);
    expect(encoder.encode(head)).toHaveLength(3);
    expect(blocks[2]).toBe(blocks[1]);
  });

  test('a block that is kept is read anew once the table has changed', () => {
    const decoder = new HpackDecoder(10_000);
    const indexed = Buffer.from([0xbe]);
    const add = (value: string) => decode(decoder, hex(`40 01 61 01 ${Buffer.from(value).toString('hex')}`));
    add('1');
    expect([decode(decoder, indexed).fields, decode(decoder, indexed).fields]).toEqual([[['a', '1']], [['a', '1']]]);
    add('2');
    expect(decode(decoder, indexed).fields).toEqual([['a', '2']]);
  });

  test('any lists, with the peer’s table resized in between, come as they were sent', () => {
    const text = fc.stringMatching(/^[ -~]{0,40}$/);
    const field = fc.tuple(fc.stringMatching(/^[a-z-]{1,20}$/), text);
    const step = fc.record({ fields: fc.array(field, { maxLength: 6 }), table: fc.option(fc.nat(300)), once: field });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const encoder = new HpackEncoder();
        const decoder = new HpackDecoder(100_000);
        for (const { fields, table, once } of steps) {
          if (table !== null) encoder.allow(table);
          expect(decode(decoder, Buffer.from(encoder.encode(fields, [once]))).fields).toEqual([...fields, once]);
        }
      }),
      { seed: 7541, numRuns: 200 },
    );
  });

  test('a list beyond the limit is told as such, and the table stays right', () => {
    const decoder = new HpackDecoder(100);
    const long = `40 01 61 3c ${'62'.repeat(60)}`;
    expect(decode(decoder, hex(`${long} 40 01 62 01 63`))).toEqual({ fields: [], tooLong: true });
    expect(decode(decoder, hex('be')).fields).toEqual([['b', 'c']]);
  });

  test.each([
    ['an index beyond the table', 'be', /index 62 is not in the table; expected 1 to 61/],
    ['index 0', '80', /index 0/],
    ['a text that is cut off', '400a 6375', /10 bytes is cut off/],
    ['a number that is cut off', 'ff', /a number is cut off/],
    ['a number beyond all bounds', 'ff ff ff ff ff ff 00', /more than 28 bits/],
    ['a table larger than announced', '3f e2 1f', /4097 bytes; expected at most 4096/],
    ['a change of the table behind a field', '82 3f e1 01', /behind a field/],
    ['padding of eight ones', '00 81 ff 82 9f ff', /padded wrongly/],
    ['padding of zeros', '00 01 61 81 18', /padded wrongly/],
    ['the end mark', '00 01 61 84 ff ff ff ff', /end mark/],
  ])('%s is COMPRESSION_ERROR', (_what, block, message) => {
    expect(() => decode(new HpackDecoder(1000), hex(block))).toThrow(
      expect.objectContaining({ code: 9, message: expect.stringMatching(message) }),
    );
  });
});
