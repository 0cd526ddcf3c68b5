/**
 * The first difference between what was found and what a vector expects, as `executions[3].start: found 5, expected 6`;
 * undefined where they agree. Only keys that the vector names are compared; lists must have the same length.
 */
export function firstDifference(found: unknown, expected: unknown, path = ''): string | undefined {
  if (Array.isArray(expected)) return listDifference(found, expected, path);
  if (isObject(expected)) return objectDifference(found, expected, path);
  return same(found, expected) ? undefined : difference(path, found, expected);
}

function listDifference(found: unknown, expected: readonly unknown[], path: string): string | undefined {
  if (!Array.isArray(found)) return difference(path, found, expected);
  for (let i = 0; i < Math.min(found.length, expected.length); i++) {
    const first = firstDifference(found[i], expected[i], `${path}[${i}]`);
    if (first !== undefined) return first;
  }
  if (found.length === expected.length) return undefined;
  const at = Math.min(found.length, expected.length);
  return difference(`${path}[${at}]`, at in found ? found[at] : undefined, at in expected ? expected[at] : undefined);
}

function objectDifference(found: unknown, expected: Record<string, unknown>, path: string): string | undefined {
  if (!isObject(found)) return difference(path, found, expected);
  for (const [key, value] of Object.entries(expected)) {
    const inner = path === '' ? key : `${path}.${key}`;
    const first = firstDifference(Object.hasOwn(found, key) ? found[key] : undefined, value, inner);
    if (first !== undefined) return first;
  }
  return undefined;
}

/** Whole numbers agree when equal, others within 1e-9 of the larger (1e-12 absolute). Everything else is exact. */
function same(found: unknown, expected: unknown): boolean {
  if (typeof found !== 'number' || typeof expected !== 'number') return found === expected;
  if (found === expected) return true;
  if (Number.isInteger(found) && Number.isInteger(expected)) return false;
  const tolerance = Math.max(1e-12, 1e-9 * Math.max(Math.abs(found), Math.abs(expected)));
  return Math.abs(found - expected) <= tolerance;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function difference(path: string, found: unknown, expected: unknown): string {
  return `${path}: found ${text(found)}, expected ${text(expected)}`;
}

/** A value on one line, cut where it is long. */
function text(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number') return String(value);
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 200 ? `${json.slice(0, 199)}…` : json;
}
