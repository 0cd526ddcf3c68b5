import { nowNs } from '../results/clock.js';
import { UserError } from '../results/errors.js';
import { aroundModel } from './around-model.js';
import type { HostedModel } from './hosted-model.js';
import type { InferOutcome, ModelMetadata, Tensor, TensorMetadata } from './protocol/index.js';
import { byteCount } from './protocol/index.js';
import { invalid } from './protocol/tensors.js';

/** Output that holds the new state → input that takes it at the next step. */
export type States = Readonly<Record<string, string>>;

/**
 * A model whose state the server keeps between the requests of a sequence (parameter `sequence_id`), so that clients neither
 * see nor send it: zeros where a sequence begins (`sequence_start`, or an id that is not known), else what the step before
 * left; forgotten at `sequence_end`, or after so long without a request. Requests of one sequence are executed one after the
 * other in the order of their arrival, whatever the strategy; the wait counts as queueing. Source: Triton's implicit state
 * management (`sequence_batching.state`). Differs: a request is one row.
 */
export function statefulModel(inner: HostedModel, states: States, idleNs: number = IDLE_NS): HostedModel {
  const inputs = new Map(inner.metadata.inputs.map((input) => [input.name, input]));
  const kept = Object.entries(states).map(([output, input]) => ({
    output,
    zeros: zerosOf(inner, inputs.get(input), input),
  }));
  const metadata: ModelMetadata = {
    ...inner.metadata,
    inputs: inner.metadata.inputs.filter(({ name }) => !Object.values(states).includes(name)),
    outputs: inner.metadata.outputs.filter(({ name }) => states[name] === undefined),
  };
  const sequences = new Map<string, Sequence>();
  let sweptNs = 0;
  const sweep = (now: number): void => {
    if (now - sweptNs < idleNs / 4) return;
    sweptNs = now;
    for (const [id, sequence] of sequences) if (sequence.isIdle && now - sequence.lastNs > idleNs) sequences.delete(id);
  };
  return {
    ...aroundModel(inner, metadata),
    waiting: () => [...sequences.values()].reduce((sum, { waiting }) => sum + waiting, inner.waiting()),
    async drained() {
      while ([...sequences.values()].some(({ isIdle }) => !isIdle)) await inner.drained();
      await inner.drained();
    },
    infer(request, receivedNs, done) {
      const { sequence_id: id, sequence_start: start, sequence_end: end } = request.parameters ?? {};
      if (id === undefined || request.inputs.some(({ shape }) => shape[0] !== 1)) {
        done({ ok: false, error: refusal(inner.name, id === undefined) });
        return { cancel: () => {} };
      }
      const arrivedNs = nowNs();
      sweep(arrivedNs);
      const key = String(id);
      const sequence = sequences.get(key) ?? new Sequence();
      sequences.set(key, sequence);
      let isWanted = true;
      sequence.inTurn((ended) => {
        if (!isWanted) return ended();
        const waitedNs = nowNs() - arrivedNs;
        if (start === true) sequence.state = undefined;
        const state = sequence.state ?? kept.map(({ zeros }) => zeros);
        const names = request.outputs?.length ? request.outputs : metadata.outputs;
        const outputs = [...names.map(({ name }) => ({ name })), ...kept.map(({ output }) => ({ name: output }))];
        inner.infer({ ...request, inputs: [...request.inputs, ...state], outputs }, receivedNs, (outcome) => {
          if (outcome.ok)
            sequence.state = kept.map(({ output, zeros }) => ({
              ...outcome.response.outputs.find(({ name }) => name === output)!,
              name: zeros.name,
            }));
          if (isWanted) done(outcome.ok ? seenByClient(outcome, states, waitedNs) : outcome);
          ended();
          if (end === true && sequence.isIdle) sequences.delete(key);
        });
      });
      return {
        // One that runs goes on: the state that it leaves is the next step's.
        cancel() {
          isWanted = false;
        },
      };
    },
  };
}

/** Triton's default for `max_sequence_idle_microseconds` is a second; this one outlives the pauses of people. */
const IDLE_NS = 60e9;

/** The steps of one sequence, one at a time. */
class Sequence {
  /** Undefined: it begins. */
  state: readonly Tensor[] | undefined;
  lastNs = 0;
  readonly #queue: ((ended: () => void) => void)[] = [];
  #isBusy = false;

  get isIdle(): boolean {
    return !this.#isBusy;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** `step` is called when all before it have ended. */
  inTurn(step: (ended: () => void) => void): void {
    this.#queue.push(step);
    if (!this.#isBusy) this.#next();
  }

  #next(): void {
    this.lastNs = nowNs();
    const step = this.#queue.shift();
    this.#isBusy = step !== undefined;
    step?.(() => this.#next());
  }
}

function seenByClient(
  { response, timings, ...rest }: Extract<InferOutcome, { ok: true }>,
  states: States,
  waitedNs: number,
): InferOutcome {
  timings.receiveNs -= waitedNs;
  timings.queueNs += waitedNs;
  const outputs = response.outputs.filter(({ name }) => states[name] === undefined);
  return { ...rest, response: { ...response, outputs }, timings };
}

/** One row. Throws UserError where the model has no such input, or another of its dimensions is open. */
function zerosOf({ name }: HostedModel, input: TensorMetadata | undefined, wanted: string): Tensor {
  const shape = [1, ...(input?.shape.slice(1) ?? [-1])];
  const bytes = input && !shape.includes(-1) ? byteCount(input.datatype, shape) : undefined;
  if (input === undefined || bytes === undefined)
    throw new UserError({
      place: `model ${name}, state ${wanted}`,
      found: input ? 'its input has no fixed size' : 'it has no such input',
      allowed: 'an input whose dimensions behind the first are numbers',
    });
  return { name: wanted, datatype: input.datatype, shape, data: new Uint8Array(bytes) };
}

function refusal(model: string, noId: boolean) {
  return noId
    ? invalid(`model "${model}" keeps a state for each sequence; expected the parameter sequence_id`)
    : invalid(`model "${model}" keeps a state for each sequence; expected one row a request`);
}
