import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HpackEncoder } from '../../../../servers/protocol/http2/hpack-encoder.js';
import type { Field } from '../../../../servers/protocol/http2/hpack-static.js';
import type { Http2Stream } from '../../../../servers/protocol/http2/stream.js';
import { ERROR, FLAG, FRAME, PREFACE } from '../../../../servers/protocol/http2/wire.js';
import { type Frame, frame, framesIn, Listener, Side, talk } from '../../../fakes/http2.js';

const REQUEST: Field[] = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/a.B/C'],
  ['content-type', 'application/grpc'],
];
const HEAD: Field[] = [[':status', '200']];
const TRAILERS: Field[] = [['grpc-status', '0']];

/** A server that answers each request, once it has come, with its bytes. */
function echo(): { server: Side; streams: Http2Stream[] } {
  const streams: Http2Stream[] = [];
  const server = new Side((stream) => {
    streams.push(stream);
    const listener = new Listener();
    listener.ended = () => {
      stream.headers(HEAD);
      stream.endWith([listener.body], TRAILERS);
    };
    return listener;
  });
  return { server, streams };
}

/** A server that keeps what it hears, and a peer of raw frames that has said its first words. */
function raw(first: Buffer = frame(FRAME.settings, 0, 0)) {
  const heard: Listener[] = [];
  const streams: Http2Stream[] = [];
  const server = new Side((stream) => {
    streams.push(stream);
    heard.push(new Listener());
    return heard.at(-1)!;
  });
  const encoder = new HpackEncoder();
  const send = (...frames: Buffer[]): Frame[] => {
    server.connection.receive(Buffer.concat(frames));
    return framesIn(server.output());
  };
  const open = (stream: number, flags: number, fields = REQUEST): Buffer =>
    frame(FRAME.headers, flags | FLAG.endHeaders, stream, encoder.encode(fields));
  server.output();
  send(Buffer.from(PREFACE), first);
  return { server, heard, streams, send, open };
}

const settings = (id: number, value: number): Buffer => {
  const entry = Buffer.alloc(6);
  entry.writeUInt16BE(id);
  entry.writeUInt32BE(value, 2);
  return frame(FRAME.settings, 0, 0, entry);
};
const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

describe('two of our connections', () => {
  test('exchange messages of any length in pieces of any length', () => {
    const lengths = fc.array(fc.oneof(fc.nat(40), fc.nat(100_000), fc.integer({ min: 1e6, max: 6e6 })), {
      maxLength: 5,
    });
    fc.assert(
      fc.property(lengths, fc.integer({ min: 1, max: 70_000 }), (messages, piece) => {
        const { server } = echo();
        const client = new Side();
        const calls = messages.map((length, i) => {
          const heard = new Listener();
          client.connection.request(REQUEST, [Buffer.alloc(length, i + 1)], heard);
          return heard;
        });
        talk(client, server, () => Math.max(piece, messages.length === 0 ? 1 : Math.max(...messages) / 50));
        expect(calls.map(({ body, end, wasSent }) => [body.length, end, wasSent])).toEqual(
          messages.map((length) => [length, 'ended', true]),
        );
        for (const [i, { body }] of calls.entries()) expect(body.every((byte) => byte === i + 1)).toBe(true);
      }),
      { seed: 9113, numRuns: 20 },
    );
  });

  test('a hundred streams are open at once, the others follow', () => {
    const { server, streams } = echo();
    const client = new Side();
    talk(client, server);
    const calls = Array.from({ length: 250 }, () => {
      const heard = new Listener();
      client.connection.request(REQUEST, [Buffer.from('x')], heard);
      return heard;
    });
    server.connection.receive(client.output());
    expect(streams).toHaveLength(100);
    talk(server, client);
    expect(calls.every(({ end }) => end === 'ended')).toBe(true);
  });

  test('goodbye: what is open ends first, what comes later is refused, then it is over', () => {
    let answer = () => {};
    const server = new Side((stream) => {
      answer = () => {
        stream.headers(HEAD);
        stream.endWith([], TRAILERS);
      };
      return new Listener();
    });
    const client = new Side();
    const [early, late] = [new Listener(), new Listener()];
    client.connection.request(REQUEST, [Buffer.from('x')], early);
    talk(client, server);
    server.connection.goAway();
    client.connection.request(REQUEST, [Buffer.from('x')], late);
    talk(client, server);
    expect([late.end, client.connection.takesRequests, server.over]).toEqual(['REFUSED_STREAM', false, false]);
    answer();
    talk(server, client);
    expect([early.end, server.over, client.over]).toEqual(['ended', true, true]);
  });

  test('a call that is given up is told to the other side', () => {
    const heard = new Listener();
    const server = new Side(() => heard);
    const client = new Side();
    const stream = client.connection.request(REQUEST, [Buffer.from('x')], new Listener());
    talk(client, server);
    stream.reset(ERROR.CANCEL);
    talk(client, server);
    expect(heard.end).toBe('CANCEL');
  });

  test('an answer before the request is complete ends the request', () => {
    const server = new Side((stream) => {
      stream.headers(HEAD, TRAILERS, true);
      return new Listener();
    });
    const client = new Side();
    const heard = new Listener();
    const stream = client.connection.request(REQUEST, [Buffer.alloc(10_000_000)], heard);
    talk(client, server);
    expect([heard.end, heard.wasSent, stream.closed]).toEqual(['ended', false, true]);
  });
});

describe('windows', () => {
  test('of 5 bytes: no frame is larger, and none comes without permission', () => {
    const { streams, send, open } = raw(settings(4, 5));
    send(open(1, FLAG.endStream));
    streams[0]!.headers(HEAD);
    streams[0]!.endWith([Buffer.from('abc'), Buffer.from('defghijk')], TRAILERS);
    const texts = (frames: Frame[]) =>
      frames.filter(({ type }) => type === FRAME.data).map(({ payload }) => `${payload}`);
    expect(texts(send())).toEqual(['abcde']);
    expect(texts(send(frame(FRAME.windowUpdate, 0, 1, uint32(4))))).toEqual(['fghi']);
    // A larger initial window counts for streams that are open.
    const rest = send(settings(4, 100));
    expect([texts(rest), rest.at(-1)]).toEqual([['jk'], expect.objectContaining({ type: FRAME.headers, flags: 5 })]);
  });

  test('of the connection: a stream that waits does not hold up another’s own window', () => {
    const { streams, send, open } = raw(settings(4, 0));
    send(open(1, FLAG.endStream), open(3, FLAG.endStream));
    for (const stream of streams) {
      stream.headers(HEAD);
      stream.end([Buffer.alloc(65_000)]);
    }
    const dataOf = (frames: Frame[]) =>
      frames.flatMap(({ type, stream, payload }) => (type === FRAME.data ? [[stream, payload.length]] : []));
    expect(dataOf(send(frame(FRAME.windowUpdate, 0, 3, uint32(65_000))))).toEqual([
      ...Array.from({ length: 3 }, () => [3, 16_384]),
      [3, 65_000 - 3 * 16_384],
    ]);
    // 535 bytes are left of the connection's 65,535.
    expect(dataOf(send(frame(FRAME.windowUpdate, 0, 1, uint32(65_000))))).toEqual([[1, 535]]);
  });

  test('of what we receive are granted again in large steps, the connection’s and the stream’s', () => {
    const { send, open, heard } = raw();
    const piece = frame(FRAME.data, 0, 1, Buffer.alloc(1_000_000));
    send(open(1, 0));
    const frames = Array.from({ length: 9 }, () => send(piece)).flat();
    const grants = frames.map(({ type, stream, payload }) => [type, stream, payload.readUInt32BE(0)]);
    expect(heard[0]!.body).toHaveLength(9_000_000);
    expect(grants).toEqual([
      [FRAME.windowUpdate, 1, 3_000_000],
      [FRAME.windowUpdate, 1, 3_000_000],
      [FRAME.windowUpdate, 0, 9_000_000],
      [FRAME.windowUpdate, 1, 3_000_000],
    ]);
  });
});

describe('what a peer does wrong', () => {
  const goodbye = (frames: Frame[]) => frames.find(({ type }) => type === FRAME.goaway)?.payload.readUInt32BE(4);
  const resets = (frames: Frame[]) =>
    frames.flatMap(({ type, stream, payload }) =>
      type === FRAME.rstStream ? [[stream, payload.readUInt32BE(0)]] : [],
    );

  test.each<[what: string, code: number, bytes: Buffer]>([
    ['DATA on stream 0', ERROR.PROTOCOL_ERROR, frame(FRAME.data, 0, 0, 'x')],
    ['DATA on a stream that nobody opened', ERROR.PROTOCOL_ERROR, frame(FRAME.data, 0, 9, 'x')],
    ['a stream with an even number', ERROR.PROTOCOL_ERROR, frame(FRAME.headers, 5, 2, '\x82')],
    [
      'a header block that is no HPACK',
      ERROR.COMPRESSION_ERROR,
      frame(FRAME.headers, 5, 1, '\xff\xff\xff\xff\xff\xff'),
    ],
    [
      'a frame between the pieces of a header block',
      ERROR.PROTOCOL_ERROR,
      Buffer.concat([frame(FRAME.headers, 0, 1, '\x82'), frame(FRAME.ping, 0, 0, '12345678')]),
    ],
    ['CONTINUATION without HEADERS', ERROR.PROTOCOL_ERROR, frame(FRAME.continuation, 4, 1, '\x82')],
    ['a window that grows by 0', ERROR.PROTOCOL_ERROR, frame(FRAME.windowUpdate, 0, 0, uint32(0))],
    ['a window beyond 2^31 - 1', ERROR.FLOW_CONTROL_ERROR, frame(FRAME.windowUpdate, 0, 0, uint32(2 ** 31 - 1))],
    ['PING of 7 bytes', ERROR.FRAME_SIZE_ERROR, frame(FRAME.ping, 0, 0, '1234567')],
    ['SETTINGS of 5 bytes', ERROR.FRAME_SIZE_ERROR, frame(FRAME.settings, 0, 0, '12345')],
    ['an initial window of 2^31', ERROR.FLOW_CONTROL_ERROR, settings(4, 2 ** 31)],
    ['frames of 100 bytes at most', ERROR.PROTOCOL_ERROR, settings(5, 100)],
    ['PUSH_PROMISE', ERROR.PROTOCOL_ERROR, frame(FRAME.pushPromise, 4, 1, '12345')],
    ['a frame of 2 MiB', ERROR.FRAME_SIZE_ERROR, frame(FRAME.data, 0, 1, Buffer.alloc(2 ** 21)).subarray(0, 100)],
    [
      'a header block of 100 kB',
      ERROR.ENHANCE_YOUR_CALM,
      frame(FRAME.headers, 0, 1, Buffer.alloc(100_000)).subarray(0, 100),
    ],
    [
      'a hundred empty pieces of a header block',
      ERROR.ENHANCE_YOUR_CALM,
      Buffer.concat([
        frame(FRAME.headers, 0, 1, '\x82'),
        ...Array.from({ length: 100 }, () => frame(FRAME.continuation, 0, 1)),
      ]),
    ],
    [
      '20,000 PINGs',
      ERROR.ENHANCE_YOUR_CALM,
      Buffer.concat(Array.from({ length: 20_000 }, () => frame(FRAME.ping, 0, 0, '12345678'))),
    ],
  ])('%s ends the connection', (_what, code, bytes) => {
    const { server, send } = raw();
    expect(goodbye(send(bytes))).toBe(code);
    expect(server.over).toBe(true);
    expect(send(frame(FRAME.ping, 0, 0, '12345678'))).toEqual([]);
  });

  test('other first words than HTTP/2’s end it, too', () => {
    const server = new Side(() => new Listener());
    server.connection.receive(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    expect(goodbye(framesIn(server.output()))).toBe(ERROR.PROTOCOL_ERROR);
  });

  test.each<[what: string, fields: Field[]]>([
    ['no :path', REQUEST.filter(([name]) => name !== ':path')],
    [':path twice', [[':path', '/b'], ...REQUEST]],
    ['a response’s :status', [[':status', '200'], ...REQUEST]],
    ['a pseudo header behind another', [...REQUEST, [':authority', 'a']]],
    ['a name in upper case', [...REQUEST, ['X-Y', 'a']]],
    ['a line break in a value', [...REQUEST, ['x-y', 'a\r\nb']]],
    ['a header of the connection', [...REQUEST, ['transfer-encoding', 'chunked']]],
  ])('a request with %s ends its stream only', (_what, fields) => {
    const { send, open, heard } = raw();
    expect(resets(send(open(1, FLAG.endStream, fields)))).toEqual([[1, ERROR.PROTOCOL_ERROR]]);
    send(open(3, FLAG.endStream));
    expect(heard.map(({ end }) => end)).toEqual(['ended']);
  });

  test('data after the end, and a content-length that is wrong, end their streams', () => {
    const { send, open, heard } = raw();
    expect(resets(send(open(1, FLAG.endStream), frame(FRAME.data, 0, 1, 'x')))).toEqual([[1, ERROR.STREAM_CLOSED]]);
    const sized = open(3, 0, [...REQUEST, ['content-length', '3']]);
    expect(resets(send(sized, frame(FRAME.data, FLAG.endStream, 3, 'xx')))).toEqual([[3, ERROR.PROTOCOL_ERROR]]);
    expect(heard.map(({ end }) => end)).toEqual(['STREAM_CLOSED', 'PROTOCOL_ERROR']);
  });

  test('what still comes on a stream that we have reset is passed over, its headers read for the table’s sake', () => {
    const { send, open, streams, heard } = raw();
    send(open(1, 0));
    streams[0]!.reset(ERROR.CANCEL);
    send();
    const late = [
      frame(FRAME.data, 0, 1, 'x'),
      open(1, FLAG.endStream, [['x-late', 'a']]),
      frame(FRAME.rstStream, 0, 1, uint32(8)),
    ];
    expect(send(...late)).toEqual([]);
    send(open(3, FLAG.endStream, [...REQUEST, ['x-late', 'a']]));
    expect(heard[1]!.end).toBe('ended');
  });

  test('padding is no content; a grant of it comes all the same', () => {
    const { send, open, heard } = raw();
    send(open(1, 0), frame(FRAME.data, FLAG.padded | FLAG.endStream, 1, '\x03abc\0\0\0'));
    expect([`${heard[0]!.body}`, heard[0]!.end]).toEqual(['abc', 'ended']);
  });

  test('frames of unknown types are passed over', () => {
    const { send, open, heard } = raw();
    send(frame(0x42, 0xff, 7, Buffer.alloc(5000)), open(1, FLAG.endStream));
    expect(heard[0]!.end).toBe('ended');
  });
});

test('random frames and bytes, in random pieces, never crash: the connection lives, or says goodbye once', () => {
  const body = fc.uint8Array({ maxLength: 60 });
  const anyFrame = fc
    .tuple(fc.nat(10), fc.nat(255), fc.constantFrom(0, 1, 2, 3, 5, 7, 2 ** 31 - 1), body)
    .map(([type, flags, stream, payload]) => frame(type, flags, stream, payload));
  const good = fc.constantFrom('open', 'data', 'end', 'reset').map((what) => what);
  const step = fc.oneof(
    { weight: 3, arbitrary: good },
    { weight: 2, arbitrary: anyFrame },
    { weight: 1, arbitrary: body },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.array(fc.nat(50), { minLength: 1 }), (steps, cuts) => {
      const { server } = echo();
      const encoder = new HpackEncoder();
      let id = -1;
      const pieces = steps.map((each) => {
        if (typeof each !== 'string') return Buffer.from(each);
        if (each === 'open') {
          id += 2;
          return frame(FRAME.headers, FLAG.endHeaders, id, encoder.encode(REQUEST));
        }
        if (each === 'reset') return frame(FRAME.rstStream, 0, Math.max(1, id), uint32(8));
        return frame(FRAME.data, each === 'end' ? FLAG.endStream : 0, Math.max(1, id), 'abc');
      });
      const bytes = Buffer.concat([Buffer.from(PREFACE), frame(FRAME.settings, 0, 0), ...pieces]);
      const said: Buffer[] = [];
      for (let at = 0, cut = 0; at < bytes.length; cut++) {
        const end = at + 1 + cuts[cut % cuts.length]!;
        server.connection.receive(bytes.subarray(at, end));
        said.push(server.output());
        at = end;
      }
      const goodbyes = framesIn(Buffer.concat(said)).filter(({ type }) => type === FRAME.goaway);
      expect(goodbyes).toHaveLength(server.over ? 1 : 0);
    }),
    { seed: 2023_44487, numRuns: 500 },
  );
});
