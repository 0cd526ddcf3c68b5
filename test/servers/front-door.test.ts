import { expect, test } from 'vitest';
import { Door } from '../../servers/fronts/support/door.js';
import type { InferOutcome } from '../../servers/protocol/index.js';

const outcome = { ok: false } as unknown as InferOutcome;

/** A request through the door, and what became of it. */
function enter(door: Door) {
  const told: string[] = [];
  let answered: (outcome: InferOutcome) => void = () => {};
  const ticket = door.pass(
    'm',
    () => told.push('answer'),
    (each) => {
      answered = each;
      return { cancel: () => told.push('cancelled') };
    },
  );
  return { told, ticket, answer: () => answered(outcome) };
}

test('a request is out once, by its answer or its cancelling, whichever comes first', async () => {
  const door = new Door();
  const [first, second, third] = [enter(door), enter(door), enter(door)];
  let isEmpty = false;
  const empty = door.empty().then(() => {
    isEmpty = true;
  });
  first.answer();
  first.ticket.cancel();
  second.ticket.cancel();
  second.ticket.cancel();
  second.answer();
  await Promise.resolve();
  expect(isEmpty).toBe(false);
  third.answer();
  await empty;
  expect([first.told, second.told, third.told]).toEqual([['answer'], ['cancelled'], ['answer']]);
});

test('a door that is shut says why, and hands nothing on', () => {
  const door = new Door();
  door.shut('it is unloading');
  const refusals: InferOutcome[] = [];
  door.pass(
    'm',
    (each) => refusals.push(each),
    () => {
      throw new Error('handed on');
    },
  );
  expect(refusals).toMatchObject([{ ok: false, error: { message: 'model "m" is not ready: it is unloading' } }]);
});
