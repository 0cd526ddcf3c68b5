import { expect, test } from 'vitest';
import type { TrialSpec } from '../../scenarios/contract.js';
import { warmUpOf } from '../../scenarios/trial.js';

const of = (kind: TrialSpec['kind'], warmUpNs: number) => warmUpOf({ kind } as TrialSpec, { warmUpNs });

test('a capacity probe warms up for two seconds, eight times the others’ at most, and never less than they do', () => {
  expect([50e6, 300e6, 3e9, 0].map((ns) => of('probe', ns))).toEqual([400e6, 2e9, 3e9, 0]);
});

test('a measured trial warms up as the scenario says; accuracy has no warm-up', () => {
  expect([of('measure', 300e6), of('accuracy', 300e6)]).toEqual([300e6, 0]);
});
