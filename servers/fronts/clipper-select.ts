import { z } from 'zod';
import { nowNs } from '../../results/clock.js';
import { FastRandom } from '../../results/stats/random.js';
import { duration } from '../../results/units.js';
import { createController } from '../controllers/index.js';
import type { HostedModel } from '../hosted-model.js';
import type { LoadedModel } from '../load-model.js';
import { ProtocolError } from '../protocol/errors.js';
import {
  classOf,
  elementCount,
  type InferOutcome,
  type InferRequest,
  type InferTicket,
  type ModelStatistics,
  numbersOf,
  type Tensor,
} from '../protocol/index.js';
import { emptyTimings } from '../protocol/timings.js';
import { sumOfStatistics } from '../statistics.js';
import { defineFront } from './contract.js';
import { Door } from './support/door.js';

const options = z.strictObject({
  /** Of the model that clients see. */
  model: z.string().min(1).default('selected'),
  algorithm: z.enum(['exp3', 'exp4', 'epsilon-greedy', 'ucb1']).default('exp3'),
  eta: z.number().positive().default(0.01),
  epsilon: z.number().min(0).max(1).default(0.1),
  discount: z.number().positive().max(1).default(1),
  /** exp4: below this share of variants that agree with the combined answer it is the default one. */
  minConfidence: z.number().min(0).max(1).default(0),
  /** Every score of the default answer. */
  defaultOutput: z.number().default(0),
  /** What has not arrived by then does not count: exp4 combines the rest, the others give the default answer. */
  cutoff: duration().optional(),
  /** Where nobody tells the right answer, this variant's is taken for it, for that share of the requests. */
  reference: z.strictObject({ model: z.string(), share: z.number().min(0).max(1).default(0.1) }).optional(),
  seed: z.number().int().nonnegative().default(1),
});
type Options = z.output<typeof options>;

/**
 * One model to clients, several variants behind it: the controller chooses one (exp3, epsilon-greedy, ucb1) or weighs the
 * answers of all (exp4), and learns from what was wrong. What was right comes with the request (parameter `label`, looked at
 * after the answer only), later over the feedback endpoint, or from a reference variant.
 */
export const clipperSelect = defineFront({
  name: 'clipper-select',
  summary: 'one model of several variants: a bandit picks, or weighs all; learns from labels or a reference',
  options,
  start: async (given, { models, load }) => {
    const arms: LoadedModel[] = [];
    for (const spec of models) arms.push(await load(spec));
    const selected = new Selected(given, arms);
    return { models: [selected], first: arms[0]!, loaded: () => arms };
  },
});

/** Answers that feedback may still come for. */
const REMEMBERED = 10_000;

/** What the variants said of a request: their classes, null where one did not answer. */
type Said = readonly { readonly arm: number; readonly said: number | null }[];

class Selected implements HostedModel {
  readonly name: string;
  readonly version = '1';
  readonly metadata: HostedModel['metadata'];
  readonly config: HostedModel['config'];
  readonly #controller: ReturnType<typeof createController>;
  readonly #door = new Door();
  readonly #random: FastRandom;
  /** By request id, oldest first. */
  readonly #said = new Map<string, Said>();

  constructor(
    private readonly given: Options,
    private readonly arms: readonly LoadedModel[],
  ) {
    const { algorithm, eta, epsilon, discount, defaultOutput } = given;
    const controller = { algorithm, eta, epsilon, discount, defaultOutput, arms: arms.length };
    this.#controller = createController('clipper-select', controller);
    this.#random = new FastRandom(given.seed);
    this.name = given.model;
    const { metadata, config } = arms[0]!.service;
    this.metadata = { ...metadata, name: this.name };
    this.config = { ...config, name: this.name };
  }

  ready(): boolean {
    return this.#door.isOpen() && this.arms.every(({ service }) => service.ready());
  }

  /** Executions and requests of all variants. */
  statistics(): ModelStatistics {
    const sum = sumOfStatistics(this.arms.map(({ service }) => service.statistics()))!;
    return { ...sum, name: this.name, version: this.version };
  }

  waiting(): number {
    return this.arms.reduce((sum, { service }) => sum + service.waiting(), 0);
  }

  infer(request: InferRequest, receivedNs: number, done: (outcome: InferOutcome) => void): InferTicket {
    const ask = this.given.algorithm === 'exp4' ? this.#askAll : this.#askOne;
    return this.#door.pass(this.name, done, (answered) => ask.call(this, request, receivedNs, answered));
  }

  /** The right answer to an earlier request. Throws NOT_FOUND where it is not known, or has had its feedback. */
  feedback(id: string, label: number): void {
    const said = this.#said.get(id);
    if (said === undefined)
      throw new ProtocolError('NOT_FOUND', `model "${this.name}" awaits no feedback for request "${id}"`);
    this.#said.delete(id);
    this.#learn(said, label);
  }

  stopAccepting(why: string): void {
    this.#door.shut(why);
  }

  drained(): Promise<void> {
    return this.#door.empty();
  }

  async close(): Promise<void> {
    await Promise.all(this.arms.map(({ service }) => service.close()));
  }

  #askOne(request: InferRequest, receivedNs: number, done: (outcome: InferOutcome) => void): InferTicket {
    const { arm } = this.#controller.step({ op: 'select', draw: this.#draw() }) as { readonly arm: number };
    const once = new Once(done);
    const timer = this.#afterCutoff(() => {
      if (once.is) return;
      this.#learnAt(request, [{ arm, said: null }]);
      once.do(this.#default(request, receivedNs));
    });
    const ticket = this.arms[arm]!.service.infer(request, receivedNs, (outcome) => {
      clearTimeout(timer);
      if (outcome.timings) outcome.timings.variant = arm + 1;
      if (once.is) return;
      once.do(outcome);
      this.#learnAt(request, [{ arm, said: outcome.ok ? classIn(outcome.response.outputs) : null }]);
    });
    return {
      cancel: () => {
        clearTimeout(timer);
        once.never();
        ticket.cancel();
      },
    };
  }

  #askAll(request: InferRequest, receivedNs: number, done: (outcome: InferOutcome) => void): InferTicket {
    const once = new Once(done);
    const outcomes: (InferOutcome | undefined)[] = this.arms.map(() => undefined);
    let left = this.arms.length;
    const finish = () => {
      clearTimeout(timer);
      if (once.is) return;
      once.do(this.#combined(request, receivedNs, outcomes));
      this.#learnAt(
        request,
        outcomes.map((outcome, arm) => ({ arm, said: outcome?.ok ? classIn(outcome.response.outputs) : null })),
      );
    };
    const timer = this.#afterCutoff(finish);
    const tickets = this.arms.map(({ service }, arm) =>
      service.infer(request, receivedNs, (outcome) => {
        outcomes[arm] = outcome;
        if (--left === 0) finish();
      }),
    );
    return {
      cancel: () => {
        clearTimeout(timer);
        once.never();
        for (const ticket of tickets) ticket.cancel();
      },
    };
  }

  /** Score by score the weighted mean of those that arrived. */
  #combined(request: InferRequest, receivedNs: number, outcomes: readonly (InferOutcome | undefined)[]): InferOutcome {
    const arrived = outcomes.flatMap((outcome) => (outcome?.ok ? outcome : []));
    const failed = outcomes.find((outcome) => outcome && !outcome.ok);
    if (arrived.length === 0) return failed ?? this.#default(request, receivedNs);
    const scores = outcomes.map((outcome) => (outcome?.ok ? numbersOf(outcome.response.outputs[0]!) : undefined));
    const { response, timings } = arrived.at(-1)!;
    const first = response.outputs[0]!;
    const values = Float32Array.from({ length: elementCount(first.shape) }, (_, i) => {
      const predictions = scores.map((of) => of?.[i] ?? null);
      return (this.#controller.step({ op: 'combine', predictions }) as { readonly prediction: number }).prediction;
    });
    const output: Tensor = { ...first, datatype: 'FP32', data: new Uint8Array(values.buffer) };
    const chosen = classOf(output);
    const agreeing = arrived.filter((each) => classOf(each.response.outputs[0]!) === chosen).length;
    if (agreeing / this.arms.length < this.given.minConfidence) return this.#default(request, receivedNs);
    const parameters = { servemark_confidence: agreeing / this.arms.length };
    return { ok: true, response: { ...response, parameters, outputs: [output] }, timings };
  }

  #default(request: InferRequest, receivedNs: number): InferOutcome {
    const rows = request.inputs[0]?.shape[0] ?? 1;
    const outputs = this.metadata.outputs.map(({ name, shape }): Tensor => {
      const concrete = shape.map((dim, i) => (dim >= 0 ? dim : i === 0 ? rows : 1));
      const values = new Float32Array(elementCount(concrete)).fill(this.given.defaultOutput);
      return { name, datatype: 'FP32', shape: concrete, data: new Uint8Array(values.buffer) };
    });
    const timings = { ...emptyTimings(), queueNs: nowNs() - receivedNs };
    const parameters = { servemark_source: 'default' };
    const { modelName, id } = request;
    return { ok: true, response: { modelName, modelVersion: this.version, id, parameters, outputs }, timings };
  }

  /** With the request's own label, or the reference's answer; else it waits for feedback. */
  #learnAt(request: InferRequest, said: Said): void {
    const label = request.parameters?.label;
    if (label !== undefined) {
      this.#learn(said, Number(label));
      return;
    }
    const { reference } = this.given;
    const judge = reference && this.arms.find(({ name }) => name === reference.model);
    if (reference && judge) {
      if (this.#draw() < reference.share)
        judge.service.infer(request, nowNs(), (outcome) => {
          const right = outcome.ok ? classIn(outcome.response.outputs) : null;
          if (right !== null) this.#learn(said, right);
        });
    } else if (request.id !== undefined && request.id !== '') this.#remember(request.id, said);
  }

  #learn(said: Said, label: number): void {
    if (this.given.algorithm === 'exp4') {
      const predictions = this.arms.map((_, arm) => said.find((each) => each.arm === arm)?.said ?? null);
      this.#controller.step({ op: 'feedback', predictions, truth: label });
      return;
    }
    for (const { arm, said: answer } of said)
      this.#controller.step({ op: 'feedback', arm, loss: answer === label ? 0 : 1 });
  }

  #remember(id: string, said: Said): void {
    this.#said.set(id, said);
    if (this.#said.size > REMEMBERED) this.#said.delete(this.#said.keys().next().value!);
  }

  #draw(): number {
    return this.#random.next32() / 2 ** 32;
  }

  #afterCutoff(callback: () => void): NodeJS.Timeout | undefined {
    return this.given.cutoff === undefined ? undefined : setTimeout(callback, this.given.cutoff / 1e6);
  }
}

/** An answer is given once, or never where its client went away. */
class Once {
  is = false;

  constructor(private readonly done: (outcome: InferOutcome) => void) {}

  do(outcome: InferOutcome): void {
    this.is = true;
    this.done(outcome);
  }

  never(): void {
    this.is = true;
  }
}

function classIn(outputs: readonly Tensor[]): number | null {
  return (outputs[0] && classOf(outputs[0])) ?? null;
}
