import type { Hints } from './executors/index.js';
import type { Parameters, ParameterValue } from './protocol/index.js';
import { invalid, show } from './protocol/tensors.js';

const NONE: Hints = {};
/** Of the last parameters: decoders hand out the same object for requests that say the same. */
let known: { readonly parameters: Parameters; readonly hints: Hints } | undefined;

/**
 * What a request's parameters tell the strategy. Triton's: `priority`, `timeout` (µs), `sequence_id`, `sequence_start`,
 * `sequence_end`. Ours: `deadline` (µs from arrival), `key` (content hash), `client`, `class` (rt, be). Others are none of
 * its business. Throws INVALID_ARGUMENT where one has the wrong type.
 */
export function hintsOf(parameters: Parameters | undefined): Hints {
  if (parameters === undefined) return NONE;
  if (known?.parameters === parameters) return known.hints;
  const hints = {
    priority: whole(parameters, 'priority'),
    timeoutNs: micros(parameters, 'timeout'),
    deadlineNs: micros(parameters, 'deadline'),
    key: text(parameters, 'key'),
    client: text(parameters, 'sequence_id') ?? text(parameters, 'client'),
    class: schedulingClass(parameters),
    start: flag(parameters, 'sequence_start'),
    end: flag(parameters, 'sequence_end'),
  };
  known = { parameters, hints };
  return hints;
}

function whole(parameters: Parameters, name: string): number | undefined {
  const value = parameters[name];
  if (value === undefined) return undefined;
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number;
  throw wrong(name, value, 'a whole number');
}

function micros(parameters: Parameters, name: string): number | undefined {
  const value = whole(parameters, name);
  return value === undefined ? undefined : value * 1000;
}

/** Identifiers may come as numbers. */
function text(parameters: Parameters, name: string): string | undefined {
  const value = parameters[name];
  if (value === undefined || typeof value === 'string') return value;
  if (typeof value !== 'boolean') return String(value);
  throw wrong(name, value, 'text or a number');
}

function flag(parameters: Parameters, name: string): boolean | undefined {
  const value = parameters[name];
  if (value === undefined || typeof value === 'boolean') return value;
  throw wrong(name, value, 'true or false');
}

function schedulingClass(parameters: Parameters): 'rt' | 'be' | undefined {
  const value = parameters.class;
  if (value === undefined || value === 'rt' || value === 'be') return value;
  throw wrong('class', value, 'rt or be');
}

function wrong(name: string, value: ParameterValue, expected: string) {
  return invalid(`parameter "${name}" is ${show(value)}; expected ${expected}`);
}
