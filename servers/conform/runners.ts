import { isLlmRun, runLlm } from './llm.js';
import { runStrategy } from './run.js';
import { runSteps } from './steps.js';
import type { VectorCase } from './vectors.js';

/** What a case gives, to be compared with its `expect`; undefined where nothing of its name is registered. */
export type CaseRunner = (vector: VectorCase) => unknown;

/** Which runner a case takes: the first that fits. One line per format. */
const runners: readonly (readonly [fits: (vector: VectorCase) => boolean, run: CaseRunner])[] = [
  [({ steps }) => steps !== undefined, runSteps],
  [isLlmRun, runLlm],
  [({ requests }) => requests !== undefined, runStrategy],
];

/** The runner of a case. */
export function runnerOf(vector: VectorCase): CaseRunner | undefined {
  return runners.find(([fits]) => fits(vector))?.[1];
}
