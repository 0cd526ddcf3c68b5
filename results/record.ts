/** Outcomes by their number in the record column. */
export const OUTCOMES = ['ok', 'rejected', 'failed', 'timedOut', 'cancelled', 'unfinished'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Correctness of an answer: unknown, wrong, right. */
export const UNKNOWN = -1;

/**
 * The records of one trial as columns, filled while measuring: no object a request. Times are ns from the load's t = 0
 * (NaN where it did not happen); durations ns (NaN where the server does not tell).
 */
export class RecordTable {
  readonly capacity: number;
  /** Rows in use. */
  length = 0;
  readonly sequence: Uint32Array;
  /** Requests of one query (multi-stream, offline) share it; else equals sequence. */
  readonly query: Uint32Array;
  readonly sampleIndex: Uint32Array;
  readonly rows: Uint32Array;
  readonly dueNs: Float64Array;
  readonly issuedNs: Float64Array;
  /** The request's last byte was handed to the socket. */
  readonly sentNs: Float64Array;
  readonly firstByteNs: Float64Array;
  readonly completedNs: Float64Array;
  readonly outcome: Uint8Array;
  /** Index into `errorCodes`; 0 = none. */
  readonly error: Uint16Array;
  readonly warmUp: Uint8Array;
  readonly receiveNs: Float64Array;
  readonly queueNs: Float64Array;
  readonly computeInputNs: Float64Array;
  readonly computeInferNs: Float64Array;
  readonly computeOutputNs: Float64Array;
  readonly serialiseNs: Float64Array;
  /** The server saw the request so long after its own start: another origin than the client's times, only differences count. */
  readonly serverSeenNs: Float64Array;
  /** In the server from its first readable byte to the composed response, by stamps of its own: no sum. */
  readonly serverTotalNs: Float64Array;
  /** It waited so long for its model to be loaded; NaN: its model was there, or the server does not tell. */
  readonly loadNs: Float64Array;
  /** Number of the variant that answered, from 1; 0: the server has no choice, or does not tell. */
  readonly variant: Uint32Array;
  readonly batchSize: Uint32Array;
  readonly executionId: Uint32Array;
  /** Index into `tenants`; 0 = none. */
  readonly tenant: Uint8Array;
  /** −1 unknown, 0 wrong, 1 right. */
  readonly correct: Int8Array;
  /** The judgement where it is no right or wrong: an error, a cosine (accuracy/). */
  readonly judgement: Float64Array;
  /** Of a model with processors, where they ran: in the server or in the load process. */
  readonly preprocessNs: Float64Array;
  readonly postprocessNs: Float64Array;
  processedAt: 'server' | 'client' | undefined;
  /** `errorCodes[0]` is the empty text. */
  readonly errorCodes: string[] = [''];
  /** `tenants[0]` is the empty text; the only one where the load is not mixed. */
  readonly tenants: string[] = [''];

  constructor(capacity: number) {
    this.capacity = capacity;
    this.sequence = new Uint32Array(capacity);
    this.query = new Uint32Array(capacity);
    this.sampleIndex = new Uint32Array(capacity);
    this.rows = new Uint32Array(capacity);
    this.dueNs = new Float64Array(capacity);
    this.issuedNs = new Float64Array(capacity).fill(Number.NaN);
    this.sentNs = new Float64Array(capacity).fill(Number.NaN);
    this.firstByteNs = new Float64Array(capacity).fill(Number.NaN);
    this.completedNs = new Float64Array(capacity).fill(Number.NaN);
    this.outcome = new Uint8Array(capacity).fill(OUTCOMES.indexOf('unfinished'));
    this.error = new Uint16Array(capacity);
    this.warmUp = new Uint8Array(capacity);
    this.receiveNs = new Float64Array(capacity).fill(Number.NaN);
    this.queueNs = new Float64Array(capacity).fill(Number.NaN);
    this.computeInputNs = new Float64Array(capacity).fill(Number.NaN);
    this.computeInferNs = new Float64Array(capacity).fill(Number.NaN);
    this.computeOutputNs = new Float64Array(capacity).fill(Number.NaN);
    this.serialiseNs = new Float64Array(capacity).fill(Number.NaN);
    this.serverSeenNs = new Float64Array(capacity).fill(Number.NaN);
    this.serverTotalNs = new Float64Array(capacity).fill(Number.NaN);
    this.loadNs = new Float64Array(capacity).fill(Number.NaN);
    this.variant = new Uint32Array(capacity);
    this.batchSize = new Uint32Array(capacity);
    this.executionId = new Uint32Array(capacity);
    this.tenant = new Uint8Array(capacity);
    this.correct = new Int8Array(capacity).fill(UNKNOWN);
    this.judgement = new Float64Array(capacity).fill(Number.NaN);
    this.preprocessNs = new Float64Array(capacity).fill(Number.NaN);
    this.postprocessNs = new Float64Array(capacity).fill(Number.NaN);
  }

  /** The number of an error code, added to the dictionary where it is new. */
  errorNumber(code: string): number {
    const known = this.errorCodes.indexOf(code);
    if (known >= 0) return known;
    if (this.errorCodes.length >= 1000) return this.errorNumber('other');
    return this.errorCodes.push(code) - 1;
  }
}
