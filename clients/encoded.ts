import type { SampleLibrary } from './samples/index.js';
import type { Encoded, Transport } from './transports/index.js';

/** Payloads by sample, all encoded now: encoding must not be part of what is measured. */
export function encodeAll(transport: Transport, samples: SampleLibrary, model: string, count: number): Encode {
  const encode = encodeOnDemand(transport, samples, model);
  const all = Array.from({ length: count }, (_, index) => encode(index));
  return (sample) => all[sample];
}

/** Payloads made when they are needed: for accuracy, where every sample is sent once and nobody looks at the time. */
export function encodeOnDemand(transport: Transport, samples: SampleLibrary, model: string): Encode {
  return (sample) => transport.encode({ modelName: model, inputs: samples.inputs(sample) });
}

type Encode = (sample: number) => Encoded;
