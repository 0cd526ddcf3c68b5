import { realpathSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative } from 'node:path';
import { UserError } from '../../results/errors.js';
import type { TensorProto } from './proto/onnx_pb.js';
import type { Range } from './source.js';

/**
 * Where a constant's external data lies. Throws UserError where the file is missing, outside of the model's folder (links
 * followed) or shorter than what is asked of it. Source: onnx.proto, external_data (location, offset, length).
 */
export function locateExternal(
  modelPath: string,
  tensor: TensorProto,
  expected: number | undefined,
): { readonly file: string; readonly range: Range } {
  const entries = new Map(tensor.externalData.map(({ key, value }) => [key, value]));
  const location = entries.get('location') ?? '';
  const file = insideFolder(modelPath, tensor.name, location);
  const size = statSync(file).size;
  const offset = wholeNumber(entries.get('offset') ?? '0');
  const length = wholeNumber(entries.get('length') ?? String(expected ?? size - offset));
  if (Number.isNaN(offset) || Number.isNaN(length) || offset + length > size)
    throw new UserError({
      place: `${modelPath} initializer "${tensor.name}"`,
      found: `its data is said to be bytes ${entries.get('offset') ?? 0} to +${entries.get('length') ?? expected} of "${location}", which has ${size}`,
      remedy: 'Fetch or export the model again, with its data file',
    });
  return { file, range: { offset, length } };
}

function insideFolder(modelPath: string, name: string, location: string): string {
  const folder = realpathSync(dirname(modelPath));
  const file = join(folder, location);
  const place = `${modelPath} initializer "${name}"`;
  if (location === '' || isAbsolute(location) || isOutside(folder, file)) throw outside(place, location);
  let real: string;
  try {
    real = realpathSync(file);
  } catch (error) {
    throw new UserError(
      {
        place,
        found: `its data file "${location}" is not beside the model`,
        remedy: 'Put it there: the model is whole only with it',
      },
      { cause: error },
    );
  }
  if (isOutside(folder, real)) throw outside(place, location);
  return real;
}

function isOutside(folder: string, file: string): boolean {
  const way = relative(folder, file);
  return way.startsWith('..') || isAbsolute(way);
}

function outside(place: string, location: string): UserError {
  return new UserError({
    place,
    found: `its data is said to lie in "${location}"`,
    allowed: "a file inside of the model's own folder",
    remedy: 'Do not load a model that reads elsewhere unless you know why',
  });
}

function wholeNumber(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : Number.NaN;
}
