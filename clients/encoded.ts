import type { LoadPlan, RequestClass } from './loads/index.js';
import type { SampleLibrary } from './samples/index.js';
import type { Encoded, Transport } from './transports/index.js';

/** What all requests of a load have in common, and the kinds of a mixed one. */
interface Model {
  readonly name: string;
  readonly classes?: readonly RequestClass[] | undefined;
  /** Requests carry their sample's label, where it has one. */
  readonly labels?: boolean | undefined;
}

/** A payload by sample and number of its kind (mix.ts; 0: the load is not mixed). */
export type Encode = (sample: number, kind: number) => Encoded;

/** All payloads encoded now, those of every kind: encoding must not be part of what is measured. */
export function encodeAll(transport: Transport, samples: SampleLibrary, model: Model, count: number): Encode {
  const encode = encodeOnDemand(transport, samples, model);
  const kinds = model.classes ? model.classes.map((_, index) => index + 1) : [0];
  const all: Encoded[][] = [];
  for (const kind of kinds) all[kind] = Array.from({ length: count }, (_, sample) => encode(sample, kind));
  return (sample, kind) => all[kind]![sample];
}

/**
 * A payload for every request of sessions that are sequences to the server: its number, and whether it is the first or the
 * last of it. `kind` is the request's place in the plan, from 1; what has none (warm-up) is a sequence of its own.
 */
export function encodeSequences(
  transport: Transport,
  samples: SampleLibrary,
  modelName: string,
  plan: Extract<LoadPlan, { mode: 'open' }>,
): Encode {
  const last = plan.sessions!.steps.length - 1;
  const encode = (sample: number, id: number, start: boolean, end: boolean): Encoded =>
    transport.encode({
      modelName,
      inputs: samples.inputs(sample),
      parameters: { sequence_id: id, sequence_start: start, sequence_end: end },
    });
  const all = Array.from(plan.sampleIndex, (sample, k) => {
    const step = k % (last + 1);
    return encode(sample, plan.query[k]! + 1, step === 0, step === last);
  });
  const beyond = plan.sessions!.singlesFrom ?? plan.query.at(-1)! + 2;
  const single = Array.from({ length: samples.performanceSampleCount }, (_, i) => encode(i, beyond + i, true, true));
  return (sample, kind) => (kind === 0 ? single[sample] : all[kind - 1]);
}

/** Payloads made when they are needed: for accuracy, where every sample is sent once and nobody looks at the time. */
export function encodeOnDemand(transport: Transport, samples: SampleLibrary, { name, classes, labels }: Model): Encode {
  return (sample, kind) => {
    const own = classes?.[kind - 1];
    const inputs = samples.inputs(sample);
    const label = labels ? samples.label?.(sample) : undefined;
    const parameters = label === undefined ? own?.parameters : { ...own?.parameters, label };
    return transport.encode({ modelName: own?.model ?? name, inputs, ...(parameters ? { parameters } : {}) });
  };
}
