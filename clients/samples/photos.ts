import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../results/errors.js';
import { joinBytes } from '../../servers/protocol/index.js';
import type { SampleDefinition } from './contract.js';
import { namesIn } from './folder.js';
import { bytesInput } from './shapes.js';

const ENDING = /\.(jpe?g|png|webp|gif)$/i;
/** `imagenet_05_853.jpg`, `n02123045_281.jpeg`: the class is the number before the ending. */
const CLASS = /_(\d+)\.\w+$/;

/**
 * The images of a directory as they are encoded, BYTES [1], in order of their names. Where every name ends in `_<class>`, that number is
 * the right answer.
 */
export const photos = {
  name: 'photos',
  summary: 'JPEG, PNG … files of a directory: BYTES [1]; names like dog_251.jpg say the class',
  async create({ metadata, directory, count }) {
    const input = bytesInput(metadata, 'photos');
    const names = directory === undefined ? [] : namesIn(directory, ENDING).slice(0, count);
    if (names.length === 0)
      throw new UserError({
        place: `samples photos${directory === undefined ? '' : `: ${directory}`}`,
        found: directory === undefined ? 'no folder is named' : 'there is no image',
        allowed: 'a folder with .jpg, .png, .webp or .gif files',
        remedy: 'Set directory',
      });
    const files = names.map((name) => readFileSync(join(directory!, name)));
    const classes = names.map((name) => Number(CLASS.exec(name)?.[1] ?? Number.NaN));
    const sha256 = createHash('sha256');
    for (const file of files) sha256.update(file);
    return {
      name: 'photos',
      totalSampleCount: names.length,
      performanceSampleCount: names.length,
      sha256: sha256.digest('hex'),
      inputs: (index) => [{ name: input.name, datatype: 'BYTES', shape: [1], data: joinBytes([files[index]!]) }],
      ...(classes.some(Number.isNaN) ? {} : { label: (index: number) => classes[index]! }),
    };
  },
} as const satisfies SampleDefinition;
