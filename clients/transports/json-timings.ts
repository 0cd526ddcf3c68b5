import type { Parameters, ServerTimings } from '../../servers/protocol/index.js';
import { TIMING_PARAMETERS, timingsFromParameters } from '../../servers/protocol/index.js';

/** Characters of a response among which our server's timings are. */
export const TIMINGS_WITHIN = 2048;

/**
 * The server's timings out of the beginning of a JSON response, without parsing the tensors: our server writes them as one
 * run of parameters ahead of the outputs. Undefined where they are not there (another server).
 */
export function jsonTimings(beginning: string): ServerTimings | undefined {
  const start = beginning.indexOf(FIRST);
  if (start < 0) return undefined;
  const end = beginning.indexOf('}', start);
  if (end < 0) return undefined;
  try {
    return timingsFromParameters(JSON.parse(`{${beginning.slice(start, end)}}`) as Parameters);
  } catch {
    return undefined;
  }
}

const FIRST = `"${TIMING_PARAMETERS.receiveNs}"`;
