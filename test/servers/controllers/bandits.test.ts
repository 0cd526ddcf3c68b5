import { describe, expect, test } from 'vitest';
import { createController } from '../../../servers/controllers/index.js';

/** Losses of each arm; answers how often each was chosen in `rounds` rounds. */
function chosen(options: object, lossOf: (round: number, arm: number) => number, rounds: number): number[] {
  const controller = createController('clipper-select', { arms: 3, ...options });
  const counts = [0, 0, 0];
  for (let round = 0; round < rounds; round++) {
    // Evenly spread and the same every time.
    const draw = (round * 0.618034) % 1;
    const { arm } = controller.step({ op: 'select', draw }) as { readonly arm: number };
    counts[arm]!++;
    controller.step({ op: 'feedback', arm, loss: lossOf(round, arm) });
  }
  return counts;
}

const fixed = (_: number, arm: number) => [0.5, 0.1, 0.9][arm]!;

test('exp3 with eta 0 learns nothing', () => {
  const controller = createController('clipper-select', { eta: 0 });
  expect(controller.step({ op: 'feedback', arm: 0, loss: 1 })).toEqual({
    weights: [1, 1],
    probabilities: [0.5, 0.5],
  });
});

describe('bandits beside Clipper’s', () => {
  test('ucb1 tries every arm once, lowest first, then the best most of the time', () => {
    expect(chosen({ algorithm: 'ucb1' }, fixed, 3)).toEqual([1, 1, 1]);
    expect(chosen({ algorithm: 'ucb1' }, fixed, 1000)[1]).toBeGreaterThan(850);
  });

  test('epsilon-greedy explores its share evenly and takes the best for the rest', () => {
    const counts = chosen({ algorithm: 'epsilon-greedy', epsilon: 0.3 }, fixed, 1000);
    expect(counts[0]).toBeGreaterThan(90);
    expect(counts[0]).toBeLessThan(115);
    expect(counts[1]).toBeGreaterThan(780);
    const answer = createController('clipper-select', { arms: 2, algorithm: 'epsilon-greedy', epsilon: 0.3 });
    expect(answer.step({ op: 'select', draw: 0.2 })).toEqual({ arm: 1, probability: 0.15 });
    expect(answer.step({ op: 'select', draw: 0.31 })).toEqual({ arm: 0, probability: 0.85 });
  });

  test('epsilon-greedy with a discount follows a change that it otherwise misses', () => {
    const turning = (round: number, arm: number) => (round < 500 ? [0, 1, 1] : [1, 0, 1])[arm]!;
    const slow = chosen({ algorithm: 'epsilon-greedy' }, turning, 1000);
    const quick = chosen({ algorithm: 'epsilon-greedy', discount: 0.97 }, turning, 1000);
    expect(quick[1]!).toBeGreaterThan(slow[1]! + 300);
  });
});
