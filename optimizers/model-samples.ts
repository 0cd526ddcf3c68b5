import type { SampleDefinition, SampleLibrary } from '../clients/samples/index.js';
import { messageOf, UserError } from '../results/errors.js';
import { inspectModel, type ResolvedModel } from '../servers/models/index.js';
import { createProcessing, type Processor } from '../servers/processing/index.js';
import type { Tensor } from '../servers/protocol/index.js';

export interface ModelSamples {
  /** What clients send: where a processor stands before the model, its inputs. */
  readonly library: SampleLibrary;
  /** The library, or a part of it, as the model's own inputs. Throws UserError where the processor refuses a sample. */
  asInputs(part: SampleLibrary): Promise<SampleLibrary>;
}

/** Samples that fit a model, and what makes its inputs of them. `bare`: they are tensors already. Throws UserError. */
export async function modelSamples(
  definition: SampleDefinition,
  model: ResolvedModel,
  {
    bare = false,
    ...options
  }: Omit<Parameters<SampleDefinition['create']>[0], 'metadata'> & { bare?: boolean | undefined },
): Promise<ModelSamples> {
  const metadata = { name: model.name, ...(await inspectModel(model)) };
  const processing = bare ? undefined : model.processing;
  const pre = processing && (await createProcessing(processing, metadata)).pre;
  const library = await definition.create({
    ...options,
    metadata: { ...metadata, inputs: pre?.inputs ?? metadata.inputs },
  });
  return { library, asInputs: async (part) => (pre ? processed(part, pre) : part) };
}

/** Each sample through the processor, now: a library answers at once, and a processor may take its time. */
async function processed(raw: SampleLibrary, pre: Processor): Promise<SampleLibrary> {
  const inputs: (readonly Tensor[])[] = [];
  for (let index = 0; index < raw.totalSampleCount; index++)
    try {
      inputs.push(await pre.run(raw.inputs(index)));
    } catch (error) {
      throw new UserError({ place: `samples ${raw.name}, sample ${index}`, found: messageOf(error) });
    }
  return { ...raw, inputs: (index) => inputs[index]! };
}
