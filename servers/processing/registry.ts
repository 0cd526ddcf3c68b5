import { lookUp } from '../../results/lookup.js';
import { classes } from './classes.js';
import type { ProcessorDefinition } from './contract.js';
import { ctc } from './ctc.js';
import { image } from './image.js';
import { magikaBytes } from './magika-bytes.js';
import { textBoxes } from './text-boxes.js';
import { textCrops } from './text-crops.js';
import { textLine } from './text-line.js';
import { tokenise } from './tokenise.js';
import { unitVector } from './unit-vector.js';

/** Every processor. One import and one line per addition. */
export const processors = [
  image, // pre
  textLine,
  textCrops,
  tokenise,
  magikaBytes,
  classes, // post
  textBoxes,
  ctc,
  unitVector,
] as const satisfies readonly ProcessorDefinition[];

/** The processor of that name and side. Throws UserError that lists them. */
export function processorNamed(name: string, side: 'pre' | 'post', place: string): ProcessorDefinition {
  const known = (processors as readonly ProcessorDefinition[]).filter((each) => each.side === side);
  return lookUp<ProcessorDefinition>(known, name, `${side}processor`, place);
}
