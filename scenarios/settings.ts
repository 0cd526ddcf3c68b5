import { UserError } from '../results/errors.js';

/** `--set maxBatchSize=8 --set preferredBatchSize=[4,8] --set defaultQueuePolicy.maxQueueSize=10` as an options object. */
export function parseSettings(settings: readonly string[]): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const setting of settings) {
    const match = /^([A-Za-z][\w.]*)=(.*)$/s.exec(setting);
    if (!match)
      throw new UserError({
        place: `--set ${setting}`,
        found: 'is no assignment',
        allowed: 'key=value, like maxBatchSize=8',
      });
    assign(options, match[1]!.split('.'), parseValue(match[2]!));
  }
  return options;
}

function assign(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [key, ...rest] = path as [string, ...string[]];
  if (rest.length === 0) {
    target[key] = value;
    return;
  }
  const inner = target[key];
  const next: Record<string, unknown> =
    typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : {};
  target[key] = next;
  assign(next, rest, value);
}

/** JSON where it is JSON (numbers, lists, true), else the text itself (`2ms`, `clock`). */
function parseValue(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
