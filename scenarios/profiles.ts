import { readFileSync } from 'node:fs';
import { messageOf, UserError } from '../results/errors.js';
import type { CostTable } from '../servers/executors/index.js';
import { costTable } from '../servers/executors/index.js';

/** What `servemark profile` writes. */
export interface Profile {
  readonly schema: 1;
  readonly model: string;
  readonly sha256: string | null;
  readonly measuredAt: string;
  /** Points [rows, ns], rows ascending. */
  readonly cost: CostTable;
}

/** Reads a cost table: a profile file, or a bare JSON list of points. Throws UserError. */
export function readProfile(path: string): CostTable {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UserError({
      place: path,
      found: `can't be read: ${messageOf(error)}`,
      allowed: 'a file that `servemark profile MODEL --out FILE` wrote',
    });
  }
  const table = Array.isArray(content) ? content : (content as Partial<Profile> | null)?.cost;
  const parsed = costTable.safeParse(table);
  if (parsed.success) return parsed.data;
  throw new UserError({
    place: path,
    found: 'holds no cost table',
    allowed: '{ "cost": [[rows, ns], …] } with ascending rows',
    remedy: 'Measure one: servemark profile MODEL --out FILE',
  });
}
