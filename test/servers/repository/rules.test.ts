import { describe, expect, test } from 'vitest';
import { UserError } from '../../../results/errors.js';
import { ignoredFields, parseConfig } from '../../../servers/repository/config.js';
import { readTextProto } from '../../../servers/repository/pbtxt.js';
import { nextSwap, type SwapPolicy, type VersionState, wantedVersions } from '../../../servers/repository/swap.js';

describe('protobuf’s text format', () => {
  test('is read with nesting, lists, enums, joined strings and comments', () => {
    const read = readTextProto(
      `name: "a" 'b' # joined
       max_batch_size: 8;
       kind: KIND_CPU
       flag: true, dims: [ 1, -1 ]
       dims: 3
       nested < deep { text: "say \\"hi\\"\\n" } >`,
      'here',
    );
    expect(read.get('name')).toEqual(['ab']);
    expect(read.get('max_batch_size')).toEqual([8]);
    expect(read.get('kind')).toEqual(['KIND_CPU']);
    expect(read.get('flag')).toEqual([true]);
    expect(read.get('dims')).toEqual([1, -1, 3]);
    const nested = read.get('nested')![0] as ReadonlyMap<string, unknown[]>;
    expect((nested.get('deep')![0] as ReadonlyMap<string, unknown[]>).get('text')).toEqual(['say "hi"\n']);
  });

  test.each([
    ['a: 1\nb {', 'here:2: a message that does not end with }'],
    ['a: 1\n"b": 2', 'here:2: ""b"", where a field\'s name should be'],
    ['a 1', 'here:1: no ":" after a'],
    ['a: "b', 'here:1: a string that does not end'],
    ['a: ]', 'here:1: "]", where a value should be'],
  ])('%j is refused with its line', (text, message) => {
    expect(() => readTextProto(text, 'here')).toThrow(message);
  });
});

describe('a model configuration', () => {
  test('tells what of it changes nothing here', () => {
    const config = parseConfig('{"max_batch_size": "4", "optimization": {}, "input": []}', 'x');
    expect(config.max_batch_size).toBe(4);
    expect(ignoredFields(config)).toEqual(['optimization']);
  });

  test('that is wrong is refused with its place', () => {
    expect(() => parseConfig('{', 'x')).toThrow('x: it is no JSON');
    expect(() => parseConfig('{"max_batch_size": -1}', 'x')).toThrow(UserError);
    expect(() => parseConfig('{"version_policy": {"newest": {}}}', 'x')).toThrow('x.version_policy');
  });
});

test('version policies: the latest by number, all, or those that are named and there', () => {
  const present = ['10', '2', '9'];
  expect(wantedVersions(present, { latest: { num_versions: 1 } })).toEqual(['10']);
  expect(wantedVersions(present, { latest: { num_versions: 2 } })).toEqual(['9', '10']);
  expect(wantedVersions(present, { all: {} })).toEqual(['2', '9', '10']);
  expect(wantedVersions(present, { specific: { versions: [2, 3] } })).toEqual(['2']);
});

/** `1r-` = version 1, ready, not wanted; `2n+` = version 2, new, wanted. */
function steps(policy: SwapPolicy, ...texts: string[]): string[] {
  const states = { n: 'new', r: 'ready', f: 'failed', u: 'unloading' } as const;
  let versions = texts.map((text) => ({
    version: text[0]!,
    state: states[text[1] as keyof typeof states] as VersionState['state'],
    wanted: text[2] === '+',
  }));
  const done: string[] = [];
  for (let action = nextSwap(versions, policy); action; action = nextSwap(versions, policy)) {
    const { kind, version } = action;
    done.push(`${kind} ${version.version}`);
    if (kind === 'load') version.state = 'ready';
    else versions = versions.filter((each) => each !== version);
  }
  return done;
}

describe('a swap', () => {
  test('that keeps availability loads the new version first, one that keeps resources unloads first', () => {
    expect(steps('availability', '1r-', '2n+')).toEqual(['load 2', 'unload 1']);
    expect(steps('resource', '1r-', '2n+')).toEqual(['unload 1', 'load 2']);
  });

  test('of several keeps one of the old until one of the new is there; the highest new one comes first', () => {
    expect(steps('availability', '1r-', '2r-', '3n+', '4n+')).toEqual(['unload 1', 'load 4', 'unload 2', 'load 3']);
    expect(steps('resource', '1r-', '2r-', '3n+')).toEqual(['unload 1', 'unload 2', 'load 3']);
  });

  test('to a version that would not load leaves the old one in place, unless it had to go first', () => {
    expect(steps('availability', '1r-', '2f+')).toEqual([]);
    expect(steps('resource', '1r-', '2f+')).toEqual(['unload 1']);
  });

  test('waits, to keep resources, for what is still on its way out', () => {
    expect(steps('resource', '1u-', '2n+')).toEqual([]);
    expect(steps('availability', '1u-', '2n+')).toEqual(['load 2']);
  });

  test('to nothing unloads all', () => {
    expect(steps('availability', '1r-', '2r-')).toEqual(['unload 1', 'unload 2']);
  });
});
