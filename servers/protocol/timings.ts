import type { Parameters, ServerTimings } from './types.js';

/** Field of ServerTimings → the response parameter that carries it: integers, durations in nanoseconds. */
export const TIMING_PARAMETERS = {
  receiveNs: 'servemark_receive_ns',
  queueNs: 'servemark_queue_ns',
  computeInputNs: 'servemark_compute_input_ns',
  computeInferNs: 'servemark_compute_infer_ns',
  computeOutputNs: 'servemark_compute_output_ns',
  serialiseNs: 'servemark_serialise_ns',
  batchSize: 'servemark_batch_size',
  executionId: 'servemark_execution_id',
  arrivalNs: 'servemark_arrival_ns',
  totalNs: 'servemark_total_ns',
  preprocessNs: 'servemark_preprocess_ns',
  postprocessNs: 'servemark_postprocess_ns',
  loadNs: 'servemark_load_ns',
  variant: 'servemark_variant',
} as const satisfies Record<keyof ServerTimings, string>;

/** In the order in which they travel. */
export const TIMING_FIELDS = Object.keys(TIMING_PARAMETERS) as readonly (keyof ServerTimings)[];

/**
 * The timings as response parameters. They are sent with every response, asked for or not: ten small integers cost
 * about a microsecond, and a client that does not know them ignores them as the protocol demands.
 */
export function timingsToParameters(timings: ServerTimings): Parameters {
  const parameters: Record<string, number> = {};
  for (const field of TIMING_FIELDS) {
    const value = timings[field];
    if (value !== undefined) parameters[TIMING_PARAMETERS[field]] = Math.round(value);
  }
  return parameters;
}

/** Absent where there is nothing to tell, and from our older versions. */
const OPTIONAL: readonly (keyof ServerTimings)[] = [
  ...(['arrivalNs', 'totalNs', 'preprocessNs', 'postprocessNs', 'loadNs', 'variant'] as const),
];

/** The timings in a response's parameters; undefined where one is missing that all our versions send (another server). */
export function timingsFromParameters(parameters: Parameters | undefined): ServerTimings | undefined {
  if (parameters === undefined) return undefined;
  const timings = emptyTimings();
  for (const field of TIMING_FIELDS) {
    const value = parameters[TIMING_PARAMETERS[field]];
    if (value !== undefined) timings[field] = Number(value);
    else if (!OPTIONAL.includes(field)) return undefined;
  }
  return timings;
}

/** All zero; to be filled on a request's way. */
export function emptyTimings(): ServerTimings {
  return {
    receiveNs: 0,
    queueNs: 0,
    computeInputNs: 0,
    computeInferNs: 0,
    computeOutputNs: 0,
    serialiseNs: 0,
    batchSize: 0,
    executionId: 0,
    arrivalNs: undefined,
    totalNs: undefined,
    preprocessNs: undefined,
    postprocessNs: undefined,
    loadNs: undefined,
    variant: undefined,
  };
}
