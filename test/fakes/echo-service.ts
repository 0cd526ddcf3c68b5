import { ProtocolError } from '../../servers/protocol/errors.js';
import type { InferenceService, InferTicket } from '../../servers/protocol/service.js';
import type { InferRequest, ModelMetadata, ModelStatistics, Tensor } from '../../servers/protocol/types.js';

export const ECHO_METADATA: ModelMetadata = {
  name: 'echo',
  versions: ['1'],
  platform: 'fake',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 4] }],
};

/** The durations that every answer of the fake carries. */
export const ECHO_TIMINGS = {
  receiveNs: 1000,
  queueNs: 2000,
  computeInputNs: 3000,
  computeInferNs: 4000,
  computeOutputNs: 5000,
  serialiseNs: 0,
  batchSize: 3,
  executionId: 7,
  arrivalNs: 3_000_000_000_000,
};

/**
 * A server core that answers with its inputs, renamed from x to y. The request parameter `behaviour` makes it refuse
 * (`reject`), complain (`invalid`) or never answer (`hang`). `cancelled` counts the requests whose client went away.
 */
export class EchoService implements InferenceService {
  cancelled = 0;
  received: InferRequest[] = [];

  live = () => true;
  ready = () => true;
  serverMetadata = () => ({ name: 'echo', version: '1', extensions: ['binary_tensor_data'] });

  modelReady(name: string): boolean {
    this.check(name);
    return true;
  }

  modelMetadata(name: string): ModelMetadata {
    this.check(name);
    return ECHO_METADATA;
  }

  modelConfig(): never {
    throw new ProtocolError('UNIMPLEMENTED', 'no configuration');
  }

  modelStatistics(name?: string): readonly ModelStatistics[] {
    this.check(name ?? 'echo');
    const duration = { count: 5, ns: 50 };
    return [
      {
        name: 'echo',
        version: '1',
        last_inference: 0,
        inference_count: 5,
        execution_count: 5,
        inference_stats: {
          success: duration,
          fail: duration,
          queue: duration,
          compute_input: duration,
          compute_infer: duration,
          compute_output: duration,
          cache_hit: duration,
          cache_miss: duration,
        },
        batch_stats: [],
      },
    ];
  }

  infer(request: InferRequest, _receivedNs: number, done: Parameters<InferenceService['infer']>[2]): InferTicket {
    this.received.push(request);
    const ticket = {
      cancel: () => {
        this.cancelled++;
      },
    };
    const behaviour = request.parameters?.behaviour;
    if (behaviour === 'hang') return ticket;
    if (behaviour === 'reject') done({ ok: false, error: new ProtocolError('UNAVAILABLE', 'full', 'queue-full') });
    else if (behaviour === 'invalid')
      done({ ok: false, error: new ProtocolError('INVALID_ARGUMENT', 'no such input') });
    else if (behaviour === 'late') done({ ok: false, error: new ProtocolError('DEADLINE_EXCEEDED', 'too late') });
    else {
      const outputs = request.inputs.map(
        (input): Tensor => ({ ...input, name: input.name === 'x' ? 'y' : input.name }),
      );
      done({ ok: true, response: { modelName: request.modelName, outputs }, timings: { ...ECHO_TIMINGS } });
    }
    return ticket;
  }

  private check(name: string): void {
    if (name !== 'echo') throw new ProtocolError('NOT_FOUND', `no model ${name}`);
  }
}
