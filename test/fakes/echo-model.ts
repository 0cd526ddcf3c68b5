import { modelConfig } from '../../servers/protocol/config.js';
import { ProtocolError } from '../../servers/protocol/errors.js';
import type { InferenceService, InferOutcome, InferTicket } from '../../servers/protocol/service.js';
import {
  DATATYPES,
  type InferRequest,
  type InferResponse,
  type ModelConfig,
  type ModelMetadata,
  type ModelStatistics,
} from '../../servers/protocol/types.js';
import { requestValidator } from '../../servers/protocol/validate.js';
import { StatisticsCollector } from '../../servers/statistics.js';

/** One input and one output of each datatype, `in_FP32` → `out_FP32`, all `[-1,3]`. */
export const EVERYTHING: ModelMetadata = {
  name: 'everything',
  versions: ['1'],
  platform: 'echo',
  inputs: DATATYPES.map((datatype) => ({ name: `in_${datatype}`, datatype, shape: [-1, 3] })),
  outputs: DATATYPES.map((datatype) => ({ name: `out_${datatype}`, datatype, shape: [-1, 3] })),
};

/** Two inputs, so that their rows can differ. */
export const PAIR: ModelMetadata = {
  name: 'pair',
  versions: ['1'],
  platform: 'echo',
  inputs: [
    { name: 'in_a', datatype: 'FP32', shape: [-1, 2] },
    { name: 'in_b', datatype: 'BYTES', shape: [-1] },
  ],
  outputs: [
    { name: 'out_a', datatype: 'FP32', shape: [-1, 2] },
    { name: 'out_b', datatype: 'BYTES', shape: [-1] },
  ],
};

const MAX_ROWS = 8;

/**
 * A server core without strategy or runtime: checks requests as a real one does, and answers with the inputs. The
 * request parameter `behaviour` makes it `hang` (until `release`), answer `queue-full`, or `crash`.
 */
export class EchoModel implements InferenceService {
  readonly statistics: StatisticsCollector;
  cancelled = 0;
  isReady = true;
  readonly received: InferRequest[] = [];
  private readonly held: (() => void)[] = [];
  private readonly check: (request: InferRequest) => number;

  constructor(private readonly model: ModelMetadata) {
    this.statistics = new StatisticsCollector(model.name, '1', () => 1_700_000_000_000);
    this.check = requestValidator(model, MAX_ROWS);
  }

  live = () => true;
  ready = () => this.isReady;
  serverMetadata = () => ({ name: 'fake', version: '0', extensions: ['binary_tensor_data', 'statistics'] });
  modelReady = (name: string, version?: string): boolean => this.find(name, version) && this.isReady;

  modelMetadata(name: string, version?: string): ModelMetadata {
    this.find(name, version);
    return this.model;
  }

  modelConfig(name: string, version?: string): ModelConfig {
    this.find(name, version);
    return modelConfig(this.model, {
      backend: 'echo',
      maxBatchSize: MAX_ROWS,
      instances: [{ name: 'echo_0', kind: 'KIND_CPU', count: 1 }],
      dynamicBatching: { preferred_batch_size: [4, 8], max_queue_delay_microseconds: 1000 },
    });
  }

  modelStatistics(name?: string, version?: string): readonly ModelStatistics[] {
    if (name !== undefined) this.find(name, version);
    return [this.statistics.snapshot()];
  }

  /** Answers what hangs. */
  release(): void {
    for (const answer of this.held.splice(0)) answer();
  }

  infer(request: InferRequest, receivedNs: number, done: (outcome: InferOutcome) => void): InferTicket {
    this.received.push(request);
    const outcome = this.outcome(request, receivedNs);
    if (request.parameters?.behaviour !== 'hang') done(outcome);
    else this.held.push(() => done(outcome));
    return {
      cancel: () => {
        this.cancelled++;
      },
    };
  }

  private outcome(request: InferRequest, receivedNs: number): InferOutcome {
    const { behaviour } = request.parameters ?? {};
    try {
      this.find(request.modelName, request.modelVersion);
      if (behaviour === 'queue-full') throw new ProtocolError('UNAVAILABLE', 'the queue is full', 'queue-full');
      if (behaviour === 'crash') throw new Error('the worker died');
      return this.succeed(request, this.check(request), receivedNs);
    } catch (error) {
      this.statistics.requestFailed(1000);
      return { ok: false, error: error as ProtocolError };
    }
  }

  private succeed(request: InferRequest, rows: number, receivedNs: number): InferOutcome {
    const timings = {
      receiveNs: receivedNs > 0 ? 1 : 0,
      queueNs: 2,
      computeInputNs: 3,
      computeInferNs: 4,
      computeOutputNs: 5,
      serialiseNs: 0,
      batchSize: rows,
      executionId: 7,
    };
    this.statistics.requestSucceeded(rows, timings);
    this.statistics.executionEnded(rows, 3, 4, 5);
    return { ok: true, response: this.response(request), timings };
  }

  private response(request: InferRequest): InferResponse {
    const wanted = new Set(request.outputs?.map(({ name }) => name));
    const outputs = request.inputs
      .map(({ name, datatype, shape, data }) => ({ name: name.replace('in_', 'out_'), datatype, shape, data }))
      .filter(({ name }) => wanted.size === 0 || wanted.has(name));
    return { modelName: this.model.name, modelVersion: '1', outputs };
  }

  private find(name: string, version?: string): true {
    if (name !== this.model.name)
      throw new ProtocolError('NOT_FOUND', `unknown model "${name}"; expected "${this.model.name}"`);
    if (version !== undefined && version !== '1')
      throw new ProtocolError('NOT_FOUND', `unknown version "${version}" of model "${name}"; expected "1"`);
    return true;
  }
}
