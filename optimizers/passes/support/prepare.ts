import { type Problem, UserError } from '../../../results/errors.js';
import { checkModel } from '../../onnx/check.js';
import { hoistConstants } from '../../onnx/constants.js';
import { removeDead } from '../../onnx/graph.js';
import { cloneModel, type OnnxModel, opsetOf } from '../../onnx/model.js';
import type { PassContext, PassResult } from '../contract.js';

/** A model that a pass may change, its constants all in one place, and what that took. */
export interface Prepared {
  readonly model: OnnxModel;
  readonly notes: string[];
}

/** A copy to work on. Throws UserError where the graph is broken. */
export function prepare(original: OnnxModel, { place }: Pick<PassContext, 'place'>): Prepared {
  const problems = checkModel(original, place);
  if (problems.length > 0) throw new UserError(problems as readonly Problem[]);
  const model = hoistConstants(cloneModel(original));
  const notes: string[] = [];
  const overridable = model.graph.input.filter(({ name }) => model.initializers.has(name));
  if (overridable.length > 0 || model.head.irVersion < 4n) {
    model.graph.input = model.graph.input.filter(({ name }) => !model.initializers.has(name));
    if (model.head.irVersion < 4n) {
      notes.push(`IR version ${model.head.irVersion} → 4: earlier ones ask every constant to be an input as well`);
      model.head.irVersion = 4n;
    }
    if (overridable.length > 0)
      notes.push(`${overridable.length} constants were inputs as well; now they are constants only`);
  }
  return { model, notes };
}

/** The one rewritten model, without what nothing needs any more. */
export function finished(
  { model, notes }: Prepared,
  facts: Readonly<Record<string, unknown>>,
  more: readonly string[] = [],
): PassResult {
  removeDead(model);
  // Kept types of inner values may no longer be true; the runtime infers them anew.
  model.graph.valueInfo = [];
  return { models: [{ suffix: '', model }], facts, notes: [...notes, ...more] };
}

/** Throws UserError where the model's default operator set is older than what the pass writes. */
export function needOpset(
  model: OnnxModel,
  minimum: number,
  pass: string,
  { place }: Pick<PassContext, 'place'>,
): void {
  const found = opsetOf(model);
  if (found !== undefined && found >= minimum) return;
  throw new UserError({
    place,
    found: `${pass} writes operators of operator set ${minimum}; the model imports ${found ?? 'none'}`,
    allowed: `operator set ${minimum} or later`,
    remedy: 'Export the model again with a later operator set, or convert it with onnx.version_converter',
  });
}

const QUANTIZED =
  /^(QLinear|Quantize|Dequantize|DynamicQuantize|MatMulInteger|ConvInteger|MatMulNBits|MatMulBnb4|QGemm|QAttention)/;

/** Throws UserError where the model is quantised already. */
export function refuseQuantized(model: OnnxModel, { place }: Pick<PassContext, 'place'>): void {
  const found = model.graph.node.filter(({ opType }) => QUANTIZED.test(opType));
  if (found.length === 0) return;
  const kinds = [...new Set(found.map(({ opType }) => opType))].join(', ');
  throw new UserError({
    place,
    found: `it is quantised already (${kinds})`,
    remedy: 'Start from the model in full precision',
  });
}

/** The error of a pass that found no layer that it can change. */
export function nothingToDo(
  pass: string,
  wanted: string,
  left: readonly string[],
  { place }: Pick<PassContext, 'place'>,
): UserError {
  const reasons = left.slice(0, 3).join('; ');
  return new UserError({
    place,
    found: `${pass} finds no ${wanted}${reasons && ` (${reasons}${left.length > 3 ? `; ${left.length - 3} more` : ''})`}`,
    allowed: 'models that have some',
  });
}
