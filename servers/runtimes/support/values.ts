import type { TensorMetadata } from '../../protocol/index.js';
import { ELEMENT_BYTES } from '../../protocol/tensors.js';
import type { ExecutionPart, RuntimeMetadata, RuntimeTensor } from '../contract.js';
import type { SplitPlan } from '../plan.js';

/** The values of a plan under way: who needs a value last gets it itself, everyone before a copy. */
export class PlanValues {
  readonly #values = new Map<string, RuntimeTensor>();

  constructor(
    private readonly lastUse: ReadonlyMap<string, number>,
    inputs: readonly RuntimeTensor[],
  ) {
    this.put(inputs);
  }

  put(tensors: readonly RuntimeTensor[]): void {
    for (const tensor of tensors) this.#values.set(tensor.name, tensor);
  }

  /** The inputs of a step for each of `receivers`, in buffers that can be transferred. */
  take(names: readonly string[], step: number, receivers = 1): RuntimeTensor[][] {
    return Array.from({ length: receivers }, (_, receiver) =>
      names.map((name) => {
        const value = this.#values.get(name)!;
        const isLast = this.lastUse.get(name) === step && receiver === receivers - 1;
        return isLast ? value : { ...value, buffer: value.buffer.slice(0) };
      }),
    );
  }

  /** The plan's outputs. */
  outputs(names: readonly string[]): RuntimeTensor[] {
    return names.map((name) => this.#values.get(name)!);
  }
}

/** Value → the last step that reads it; outputs of the plan are read after all steps. */
export function lastUses({ steps, outputs }: SplitPlan): Map<string, number> {
  const last = new Map<string, number>();
  for (const [i, { inputs }] of steps.entries()) for (const name of inputs) last.set(name, i);
  for (const name of outputs) last.set(name, steps.length);
  return last;
}

/** The whole's interface from its parts': inputs from their first reader, outputs from their maker. */
export function planMetadata(
  plan: SplitPlan,
  backend: string,
  /** One part's metadata a step. */
  parts: readonly RuntimeMetadata[],
): RuntimeMetadata {
  const input = (name: string): TensorMetadata[] => {
    for (const part of parts) {
      const found = part.inputs.find((spec) => spec.name === name);
      if (found) return [found];
    }
    return [];
  };
  const output = (name: string): TensorMetadata[] => {
    const step = plan.steps.findLastIndex(({ outputs }) => outputs.includes(name));
    const found = parts[step]?.outputs.find((spec) => spec.name === name);
    return found ? [joined(found, plan.steps[step]!)] : [];
  };
  return {
    platform: 'onnxruntime_onnx',
    backend,
    inputs: plan.inputs.flatMap(input),
    outputs: plan.outputs.flatMap(output),
    providers: parts[0]!.providers,
  };
}

/** A column slice does not tell the width of the whole; the bytes of its rows do. */
function joined(spec: TensorMetadata, step: SplitPlan['steps'][number]): TensorMetadata {
  if (step.kind !== 'sharded' || step.reduce !== 'concat') return spec;
  const between = spec.shape.slice(1, -1);
  const width = between.includes(-1) ? -1 : step.bytesPerRow / 4 / between.reduce((a, b) => a * b, 1);
  return { ...spec, shape: [...spec.shape.slice(0, -1), Number.isInteger(width) ? width : -1] };
}

/** What these tensors hold for one row; undefined where a dimension besides the rows is not known, or bytes vary (text). */
export function rowBytesOf(specs: readonly TensorMetadata[]): number | undefined {
  let sum = 0;
  for (const { shape, datatype } of specs) {
    if (shape.slice(1).includes(-1) || datatype === 'BYTES') return undefined;
    sum += ELEMENT_BYTES[datatype] * shape.slice(1).reduce((a, b) => a * b, 1);
  }
  return sum;
}

/** What should have been handed over, to stand beside what was. */
export function bytesByFormula(perRow: number | undefined, rows: number): readonly ExecutionPart[] {
  return perRow === undefined ? [] : [{ name: 'bytes by formula', unit: 'bytes', value: perRow * rows }];
}

export function bytesOf(tensors: readonly RuntimeTensor[]): number {
  return tensors.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
}
