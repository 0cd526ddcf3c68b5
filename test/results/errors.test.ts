import { expect, test } from 'vitest';
import { lastWords, thrownAt, UserError } from '../../results/errors.js';

test('the last words of a process end with what was thrown and where', () => {
  const lines = lastWords(new TypeError('my own mistake')).trimEnd().split('\n');
  expect(lines[0]).toBe('TypeError: my own mistake');
  expect(lines.at(-1)).toMatch(/^it fails: TypeError: my own mistake, at .*errors\.test\.ts:\d+:\d+/);
});

test('problems are placed where the user wrote what led there; other errors stay what they are', () => {
  const moved = thrownAt('x.yaml:3:8 model', new UserError({ place: './my.onnx', found: 'there is no such file' }));
  expect((moved as UserError).message).toBe('x.yaml:3:8 model: ./my.onnx: there is no such file.');
  const fault = new RangeError('odd');
  expect(thrownAt('x.yaml', fault)).toBe(fault);
});
