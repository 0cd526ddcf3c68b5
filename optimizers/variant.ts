import { existsSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { UserError } from '../results/errors.js';
import { writeFileAtomic, writeJsonAtomic } from '../results/files.js';
import { version } from '../results/package.js';
import { modelBytes } from '../servers/runtimes/index.js';
import { writeTfjs } from './convert/index.js';
import type { Fidelity } from './fidelity.js';
import { modelCard } from './model-card.js';
import { type OnnxModel, type WrittenFile, writeModel } from './onnx/index.js';
import type { AppliedPass, Variant } from './optimize.js';
import type { RecipeTrail } from './recipes/index.js';

/** Where a variant came from; stored beside it as `<name>.provenance.json`. */
export interface VariantProvenance {
  readonly schema: 1;
  readonly name: string;
  readonly parent: { readonly name: string; readonly sha256: string; readonly bytes: number };
  readonly passes: readonly AppliedPass[];
  /** The samples that passes looked at; null where none did. */
  readonly samples: { readonly name: string; readonly sha256: string } | null;
  readonly files: readonly { readonly file: string; readonly bytes: number; readonly sha256: string }[];
  /** Of the plan of a split model. */
  readonly plan: string | null;
  readonly bytes: { readonly before: number; readonly after: number; readonly ratio: number };
  /** Against the parent, on samples; null where it was not asked for or can't be had. */
  readonly fidelity: Fidelity | null;
  /** How it was arrived at, where a gate judged every pass; absent where passes were simply applied. */
  readonly recipe?: RecipeTrail | undefined;
  readonly madeBy: string;
}

export interface VariantSource {
  readonly name: string;
  readonly path: string;
  readonly sha256: string;
  readonly model: OnnxModel;
}

/**
 * Writes a variant as `out` (parts of a split one with a suffix before the ending; for TensorFlow.js where it ends in .json), its
 * provenance, plan and model card beside it. Throws UserError where `out` is the model it came from, or can't be written.
 */
export function writeVariant(
  source: VariantSource,
  variant: Variant,
  out: string,
  extras: Pick<VariantProvenance, 'samples' | 'fidelity' | 'recipe'>,
): VariantProvenance {
  checkOut(out, source.path, ['.onnx', '.json']);
  const stem = join(dirname(out), basename(out, extname(out)));
  const files = variant.models.flatMap(({ suffix, model }) => {
    if (extname(out) === '.json') return writeTfjs(model, out, source.path);
    return writeModel(model, suffix === '' ? out : `${stem}.${suffix}.onnx`);
  });
  const plan = variant.plan && { ...variant.plan, files: planFiles(variant, stem) };
  if (plan) writeJsonAtomic(`${stem}.plan.json`, plan, 'the plan');
  const before = bytesOnDisk(source);
  const after = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const provenance: VariantProvenance = {
    schema: 1,
    name: basename(stem),
    parent: { name: source.name, sha256: source.sha256, bytes: before },
    passes: variant.applied,
    ...extras,
    files: files.map(describeFile),
    plan: plan ? `${basename(stem)}.plan.json` : null,
    bytes: { before, after, ratio: after / before },
    madeBy: `servemark ${version}, node ${process.version}`,
  };
  writeJsonAtomic(`${stem}.provenance.json`, provenance, "the variant's provenance");
  writeFileAtomic(`${stem}.md`, modelCard(provenance), 'the model card');
  return provenance;
}

/** Throws UserError where `out` is no .onnx file, or the model itself: that would be gone. */
export function checkOut(out: string, model: string, endings: readonly string[] = ['.onnx']): void {
  const place = `-o ${out}`;
  if (!endings.includes(extname(out)))
    throw new UserError({ place, found: 'it does not end in .onnx', allowed: 'the path of an .onnx file' });
  if (existsSync(out) && realpathSync(out) === realpathSync(model))
    throw new UserError({
      place,
      found: 'it is the model itself, which would be overwritten',
      allowed: 'another file',
    });
}

/** Suffix → file name, for what executes the plan. */
function planFiles({ models }: Variant, stem: string): Record<string, string> {
  return Object.fromEntries(models.map(({ suffix }) => [suffix, `${basename(stem)}.${suffix}.onnx`]));
}

function describeFile({ path, bytes, sha256 }: WrittenFile) {
  return { file: basename(path), bytes, sha256 };
}

/** The model's file and its data files. */
function bytesOnDisk({ path, model }: VariantSource): number {
  if (extname(path) === '.json') return modelBytes(path);
  const data = [...model.initializers.values()].flatMap(({ payload }) =>
    payload.kind === 'external' ? [payload.file] : [],
  );
  return [path, ...new Set(data)].reduce((sum, file) => sum + statSync(file).size, 0);
}
