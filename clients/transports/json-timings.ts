import { TIMING_PARAMETERS, timingsFromParameters } from '../../servers/protocol/timings.js';
import type { Parameters, ServerTimings } from '../../servers/protocol/types.js';

/**
 * The server's timings out of a JSON response, without parsing the tensors: our server writes them as one run of parameters
 * ahead of the outputs. Undefined where they are not within the first 2 kB (another server).
 */
export function jsonTimings(body: Uint8Array): ServerTimings | undefined {
  const head = Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, 2048)).toString('latin1');
  const start = head.indexOf(FIRST);
  if (start < 0) return undefined;
  const end = head.indexOf('}', start);
  if (end < 0) return undefined;
  try {
    return timingsFromParameters(JSON.parse(`{${head.slice(start, end)}}`) as Parameters);
  } catch {
    return undefined;
  }
}

const FIRST = `"${TIMING_PARAMETERS.receiveNs}"`;
