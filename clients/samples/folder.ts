import { readdirSync } from 'node:fs';

/** Names in a folder in their order, those that end as told; none where it can't be read. */
export function namesIn(folder: string, ending = /$/): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => ending.test(name))
      .sort();
  } catch {
    return [];
  }
}
