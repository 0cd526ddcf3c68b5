import { describe, expect, test } from 'vitest';
import { BodyMemory } from '../../../servers/frontends/body-memory.js';
import { frameGrpcRequest, grpcTimings } from '../../../servers/protocol/grpc-codec.js';
import { MessageReader } from '../../../servers/protocol/grpc-frames.js';

const ANY = { maxBytes: 1000 };
const frame = (text: string) => Buffer.from(`\0\0\0\0${String.fromCharCode(text.length)}${text}`, 'latin1');

describe('MessageReader', () => {
  test('a message in any two pieces is the same message', () => {
    const bytes = frame('hello, world');
    for (let cut = 1; cut < bytes.length; cut++) {
      const reader = new MessageReader(ANY);
      reader.feed(bytes.subarray(0, cut));
      expect(reader.complete).toBe(false);
      reader.feed(bytes.subarray(cut));
      expect([reader.complete, reader.message.toString()]).toEqual([true, 'hello, world']);
    }
  });

  test('what was fed may be overwritten afterwards', () => {
    const bytes = frame('abc');
    const reader = new MessageReader(ANY);
    reader.feed(bytes);
    bytes.fill(0xee);
    expect(reader.message.toString()).toBe('abc');
  });

  test('bytes that are read to where they belong are as good as copied', () => {
    const reader = new MessageReader(ANY);
    const bytes = frame('hello, world');
    reader.feed(bytes.subarray(0, 10));
    const space = reader.space(100)!;
    expect([reader.space(3)!.length, space.length]).toEqual([3, 7]);
    bytes.copy(space, 0, 10);
    reader.feed(space.subarray(0, 4));
    reader.feed(space.subarray(4));
    expect([reader.complete, reader.message.toString(), reader.space(1)]).toEqual([true, 'hello, world', undefined]);
  });

  test('memory for a message that is announced long grows with what comes', () => {
    const reader = new MessageReader({ maxBytes: 2 ** 32 });
    reader.feed(Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1]));
    expect(reader.message.length).toBe(8 * 1024 ** 2);
    const pieces = 20;
    const long = new MessageReader({ maxBytes: 2 ** 32 });
    const piece = Buffer.alloc(1024 ** 2);
    const head = Buffer.alloc(5);
    head.writeUInt32BE(pieces * piece.length, 1);
    long.feed(head);
    for (let i = 0; i < pieces; i++) long.feed(piece.fill(i));
    expect([long.complete, long.message.length]).toEqual([true, pieces * piece.length]);
    expect(Array.from({ length: pieces }, (_, i) => long.message[i * piece.length])).toEqual([...Array(pieces).keys()]);
  });

  test('memory that was given back is used again', () => {
    const memory = new BodyMemory();
    const bytes = Buffer.concat([Buffer.from([0, 0, 1, 0, 1]), Buffer.alloc(65_537, 7)]);
    const read = () => {
      const reader = new MessageReader({ maxBytes: 1e6, memory });
      reader.feed(bytes);
      return reader.message;
    };
    const [first, second] = [read(), read()];
    expect(second.buffer).not.toBe(first.buffer);
    memory.giveBack(first);
    expect([read().buffer, second.equals(first)]).toEqual([first.buffer, true]);
  });

  test('only the beginning is kept where that is enough', () => {
    const reader = new MessageReader({ ...ANY, keptBytes: 4 });
    for (const byte of frame('hello, world')) reader.feed(Buffer.from([byte]));
    expect([reader.complete, reader.message.toString()]).toEqual([true, 'hell']);
  });

  test('the empty message is complete at once', () => {
    const reader = new MessageReader(ANY);
    reader.feed(frame(''));
    expect([reader.complete, reader.message.length]).toEqual([true, 0]);
  });

  test.each([
    ['RESOURCE_EXHAUSTED', Buffer.from([0, 0, 0, 4, 0]), /message is 1024 bytes; expected at most 1000/],
    ['UNIMPLEMENTED', Buffer.from([1, 0, 0, 0, 1, 9]), /compressed/],
    ['INTERNAL', Buffer.concat([frame('a'), frame('b')]), /6 bytes behind the message/],
  ])('%s', (code, bytes, message) => {
    expect(() => new MessageReader(ANY).feed(bytes)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });
});

test('a frame of several tensors, copied or not, holds the same bytes behind its length', () => {
  const tensors = (size: number) =>
    ['a', 'b', 'c'].map((name, i) => ({
      name,
      datatype: 'UINT8' as const,
      shape: [size],
      data: Buffer.alloc(size, i + 1),
    }));
  const small = frameGrpcRequest({ modelName: 'm', inputs: tensors(10) });
  const large = frameGrpcRequest({ modelName: 'm', inputs: tensors(20_000) });
  expect([small.length, large.length]).toEqual([1, 6]);
  for (const chunks of [small, large]) {
    const whole = Buffer.concat(chunks);
    expect(whole.readUInt32BE(1)).toBe(whole.length - 5);
  }
  expect(large.filter((_, i) => i % 2 === 1).map((chunk) => [chunk.length, chunk[0]])).toEqual([
    [20_000, 1],
    [20_000, 2],
    [20_000, 3],
  ]);
});

test('what is no response has no timings', () => {
  expect(grpcTimings(Buffer.from([0x22, 9, 1]))).toBeUndefined();
  expect(grpcTimings(Buffer.alloc(0))).toBeUndefined();
});
