import { expect, test } from 'vitest';
import { controllers, createController, findController } from '../../../servers/controllers/index.js';

test('an unknown controller is refused with the list of those that exist', () => {
  const names = controllers.map(({ name }) => name).join(', ');
  expect(() => createController('none')).toThrow(`controller: there is no controller "none". Allowed: ${names}.`);
});

test('all problems of the options come at once', () => {
  expect(() => createController('kpa-concurrency', { target: -1, panicWindow: 0, maxPods: 3 })).toThrow(
    /target.*panicWindow: 0 must be longer than nothing.*maxPods/s,
  );
});

test('names are unique, and every controller says what it is and whom it reproduces', () => {
  expect(new Set(controllers.map(({ name }) => name)).size).toBe(controllers.length);
  for (const { name, summary, source } of controllers) {
    expect(findController(name)?.name).toBe(name);
    expect(summary).toMatch(/^[^\n]{10,110}$/);
    expect(source.length).toBeGreaterThan(2);
  }
});
