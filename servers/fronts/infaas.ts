import { z } from 'zod';
import { nowNs } from '../../results/clock.js';
import { duration, fraction } from '../../results/units.js';
import { createController } from '../controllers/index.js';
import type { HostedModel } from '../hosted-model.js';
import type { LoadedModel } from '../load-model.js';
import { profileModel } from '../profile.js';
import { ProtocolError } from '../protocol/errors.js';
import type { InferOutcome, InferRequest, InferTicket, ModelStatistics } from '../protocol/index.js';
import { StatisticsCollector, sumOfStatistics } from '../statistics.js';
import { defineFront, type Front, type FrontContext, type NamedModel } from './contract.js';
import { Copy, leastBusy } from './support/copy.js';
import { Door, NOTHING } from './support/door.js';

const options = z.strictObject({
  /** Of the model that clients see. */
  model: z.string().min(1).default('selected'),
  /** Of every variant, as it was measured elsewhere, and the largest batch of its strategy. */
  variants: z.record(
    z.string(),
    z.strictObject({
      accuracy: fraction(),
      maxBatch: z.number().int().positive().default(1),
      hardware: z.enum(['cpu', 'gpu']).default('cpu'),
    }),
  ),
  /** Where a request does not say (parameters `min_accuracy`, and `max_latency` in µs). */
  minAccuracy: fraction().default(0),
  maxLatency: duration(),
  looseLatency: duration().default(100e6),
  /** Between two looks at load and latency. */
  interval: duration().default(1e9),
  /** Loaded copies at most, of all variants together. */
  maxReplicas: z.number().int().positive().default(4),
});
type Options = z.output<typeof options>;

/**
 * One model to clients, several variants behind it, each with 0 to some copies: a request says how accurate and how fast, the
 * controller takes the variant that does it, loads it where it must, and adds or drops copies, or goes over to another
 * variant, as the load asks. What variants cost is measured at the start.
 */
export const infaas = defineFront({
  name: 'infaas',
  summary:
    'one model of several variants: chosen by accuracy and latency asked for, loaded and scaled by load and cost',
  options,
  start: async (given, context) => {
    const measured: Measured[] = [];
    for (const spec of context.models) measured.push(await measure(spec, given, context));
    return new Zoo(given, measured, context).front();
  },
});

interface Measured {
  readonly spec: NamedModel;
  readonly loaded: LoadedModel;
  readonly slopeNs: number;
  readonly interceptNs: number;
  readonly loadNs: number;
}

const ROUNDS = 10;

/** A line through the cost of one row and of the largest batch, and how long a load takes. */
async function measure(spec: NamedModel, { variants }: Options, context: FrontContext): Promise<Measured> {
  const maxBatch = variants[spec.modelName]?.maxBatch ?? 1;
  const sizes = maxBatch === 1 ? [1] : [1, maxBatch];
  const cost = await profileModel({ model: spec.model, isolation: spec.isolation, sizes, rounds: ROUNDS });
  const since = nowNs();
  const loaded = await context.load(spec);
  const loadNs = Math.round(nowNs() - since);
  await loaded.service.close();
  const [one, many] = [cost[0]![1], cost.at(-1)![1]];
  const slopeNs = cost.length === 1 ? 0 : Math.max(0, Math.round((many - one) / (maxBatch - 1)));
  return { spec, loaded, slopeNs, interceptNs: Math.max(0, one - slopeNs), loadNs };
}

/** A variant with its copies, and what happened since the last look. */
interface Variant {
  readonly of: Measured;
  readonly number: number;
  copies: Copy[];
  answered: number;
  latencyNs: number;
  readonly past: ModelStatistics[];
}

class Zoo implements HostedModel {
  readonly name: string;
  readonly version = '1';
  readonly metadata: HostedModel['metadata'];
  readonly config: HostedModel['config'];
  readonly #controller: ReturnType<typeof createController>;
  readonly #variants: readonly Variant[];
  readonly #door = new Door();
  readonly #timer: NodeJS.Timeout;
  readonly #loads = { count: 0, ns: 0 };
  #sinceNs = nowNs();

  constructor(
    private readonly given: Options,
    measured: readonly Measured[],
    private readonly context: FrontContext,
  ) {
    this.name = given.model;
    const { metadata, config } = measured[0]!.loaded.service;
    this.metadata = { ...metadata, name: this.name };
    this.config = { ...config, name: this.name };
    this.#variants = measured.map((of, i) => ({ of, number: i + 1, copies: [], answered: 0, latencyNs: 0, past: [] }));
    const variants = measured.map(({ spec, slopeNs, interceptNs, loadNs }) => ({
      ...{ accuracy: 1, maxBatch: 1, ...given.variants[spec.modelName] },
      ...{ name: spec.modelName, task: this.name, slopeNs, interceptNs, loadNs },
    }));
    for (const each of variants)
      context.event(
        `variant ${each.name}: ${(each.interceptNs / 1e6).toFixed(2)} ms + ${(each.slopeNs / 1e6).toFixed(3)} ms a row, loads in ${(each.loadNs / 1e6).toFixed(0)} ms`,
      );
    this.#controller = createController('infaas', { variants, looseLatency: given.looseLatency });
    this.#timer = setInterval(() => this.#look(), given.interval / 1e6).unref();
  }

  front(): Front {
    const loaded = () => this.#variants.flatMap(({ copies }) => copies.flatMap((copy) => copy.loaded ?? []));
    return { models: [this], first: this.#variants[0]!.of.loaded, loaded };
  }

  ready(): boolean {
    return this.#door.isOpen();
  }

  statistics(): ModelStatistics {
    const parts = this.#variants.flatMap(({ copies, past }) => [
      ...past,
      ...copies.flatMap(({ loaded }) => loaded?.service.statistics() ?? []),
    ]);
    const sum = sumOfStatistics([new StatisticsCollector(this.name, this.version).snapshot(), ...parts])!;
    return { ...sum, servemark_loads: { count: this.#loads.count, ns: Math.round(this.#loads.ns) } };
  }

  waiting(): number {
    return 0;
  }

  infer(request: InferRequest, receivedNs: number, done: (outcome: InferOutcome) => void): InferTicket {
    return this.#door.pass(this.name, done, (answered) => {
      const variant = this.#choose(request);
      if (variant === undefined) {
        const message = 'no-variant: no variant is as accurate and as fast as this request asks';
        answered({ ok: false, error: new ProtocolError('UNAVAILABLE', message, 'no-variant') });
        return NOTHING;
      }
      if (variant.copies.length === 0) this.#add(variant);
      const sinceNs = nowNs();
      return leastBusy(variant.copies)!.ask(request, receivedNs, (outcome) => {
        variant.answered++;
        variant.latencyNs += nowNs() - sinceNs;
        if (outcome.timings) outcome.timings.variant = variant.number;
        answered(outcome);
      });
    });
  }

  stopAccepting(why: string): void {
    this.#door.shut(why);
  }

  drained(): Promise<void> {
    return this.#door.empty();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#variants.flatMap(({ copies }) => copies.map((copy) => copy.close())));
  }

  #choose({ parameters, inputs }: InferRequest): Variant | undefined {
    const { minAccuracy, maxLatency } = this.given;
    const latency = parameters?.max_latency === undefined ? maxLatency : Number(parameters.max_latency) * 1000;
    const { variant } = this.#controller.step({
      op: 'select',
      task: this.name,
      minAccuracy: parameters?.min_accuracy === undefined ? minAccuracy : Number(parameters.min_accuracy),
      maxLatency: latency,
      batch: Math.max(1, inputs[0]?.shape[0] ?? 1),
    }) as { readonly variant: string | null };
    return this.#variants.find(({ of }) => of.spec.modelName === variant);
  }

  /** What every variant that runs had to do since the last look: the controller flags, scales, or changes over. */
  #look(): void {
    const seconds = (nowNs() - this.#sinceNs) / 1e9;
    this.#sinceNs = nowNs();
    for (const variant of this.#variants.filter(({ copies }) => copies.length > 0)) {
      const { answered, latencyNs, copies } = variant;
      variant.answered = 0;
      variant.latencyNs = 0;
      const own = { variant: variant.of.spec.modelName, replicas: copies.length, qps: answered / seconds };
      const outstanding = copies.reduce((sum, copy) => sum + copy.outstanding, 0);
      const averageLatencyNs = answered > 0 ? latencyNs / answered : 0;
      this.#controller.step({ op: 'observe', ...own, averageLatencyNs, outstanding });
      const { delta } = this.#controller.step({ op: 'scale', ...own }) as { readonly delta: number };
      if (delta > 0) this.#grow(own, delta);
      else if (delta < 0) this.#drop(variant);
    }
  }

  /** More copies of it, or a first one of a variant that is as accurate and cheaper to grow with. */
  #grow(own: { readonly variant: string; readonly replicas: number; readonly qps: number }, delta: number): void {
    const { accuracy } = { accuracy: 1, ...this.given.variants[own.variant] };
    const candidates = this.#variants
      .map(({ of }) => of.spec.modelName)
      .filter((name) => name !== own.variant && (this.given.variants[name]?.accuracy ?? 1) >= accuracy);
    const room = this.given.maxReplicas - this.#variants.reduce((sum, { copies }) => sum + copies.length, 0);
    const others = this.given.maxReplicas - room - own.replicas;
    const decided = this.#controller.step({
      ...{ op: 'upgrade', ...own, delta, candidates, maxReplicas: this.given.maxReplicas - others },
    }) as { readonly action: string; readonly variant: string };
    const target = this.#variants.find(({ of }) => of.spec.modelName === decided.variant)!;
    if (decided.action === 'upgrade' && target.copies.length > 0) return;
    for (let i = 0; i < Math.min(room, decided.action === 'upgrade' ? 1 : delta); i++) this.#add(target);
  }

  #add(variant: Variant): void {
    const copy = new Copy(() => this.context.load(variant.of.spec));
    variant.copies = [...variant.copies, copy];
    this.context.event(`variant ${variant.of.spec.modelName}: copy ${variant.copies.length} begins to load`);
    void copy.over.then(() => {
      this.#loads.count++;
      this.#loads.ns += copy.loadNs;
    });
  }

  #drop(variant: Variant): void {
    const copy = variant.copies.at(-1);
    if (copy === undefined || variant.copies.length === 1) return;
    variant.copies = variant.copies.slice(0, -1);
    this.context.event(`variant ${variant.of.spec.modelName}: ${variant.copies.length} copies are enough`);
    void copy.close().then(() => {
      if (copy.loaded) variant.past.push(copy.loaded.service.statistics());
    });
  }
}
