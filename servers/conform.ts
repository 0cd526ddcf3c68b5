import { readFile } from 'node:fs/promises';
import { messageOf, UserError } from '../results/errors.js';
import { firstDifference } from './conform/compare.js';
import { runnerOf } from './conform/runners.js';
import { parseVectors, type VectorCase } from './conform/vectors.js';

/** What became of one case of a vector file. */
export interface CaseResult {
  readonly name: string;
  /** The strategy's or controller's name. */
  readonly strategy: string;
  /** `not-implemented`: nothing of that name is registered; it counts as failed. */
  readonly state: 'passed' | 'failed' | 'not-implemented';
  /** Of a failed case: `executions[3].start: found 5, expected 6`, or what was thrown. */
  readonly difference?: string;
}

/** Run every case of a conformance-vector file. Throws UserError where the file can't be read or is no vector file. */
export async function conformFile(path: string): Promise<CaseResult[]> {
  return parseVectors(await textOf(path), path).map(conformCase);
}

/** Run one case. A case whose strategy throws has failed. */
function conformCase(vector: VectorCase): CaseResult {
  const { name } = vector;
  const strategy = vector.strategy.name;
  try {
    const found = runnerOf(vector)?.(vector);
    if (found === undefined) return { name, strategy, state: 'not-implemented' };
    const difference = firstDifference(found, vector.expect);
    return difference === undefined
      ? { name, strategy, state: 'passed' }
      : { name, strategy, state: 'failed', difference };
  } catch (error) {
    return { name, strategy, state: 'failed', difference: `it threw: ${messageOf(error)}` };
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new UserError({
      place: path,
      found: `can't be read: ${messageOf(error)}`,
      allowed: 'a conformance-vector file (JSON)',
    });
  }
}
