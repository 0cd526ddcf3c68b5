import { createHash } from 'node:crypto';
import { FastRandom } from '../../results/stats/index.js';
import { lineDrawer } from '../../servers/processing/index.js';
import { joinBytes } from '../../servers/protocol/index.js';
import type { SampleDefinition } from './contract.js';
import { bytesInput } from './shapes.js';

const COUNT = 64;
const MOST_LINES = 4;

/** Short English words, so that a line is two to four of them and a number. */
const WORDS =
  'answer batch black bridge client clock copper delay engine figure forest garden harbour kettle ladder market meadow model number orange paper pencil question quiet rate request river sample server silver stone street table tensor thread timber train valley water window winter yellow'.split(
    ' ',
  );

/**
 * Pictures of one to four printed lines, PNG as BYTES [1], drawn by seed. The right answer is the text, a line a line. They
 * are clean prints, not photographs: what a reader gets right of them says nothing of photographs.
 */
export const printed = {
  name: 'printed',
  summary: 'Pictures of printed lines drawn by seed, with their text (needs sharp): BYTES [1]',
  async create({ metadata, seed, count = COUNT }) {
    const input = bytesInput(metadata, 'printed');
    const draw = await lineDrawer('samples printed');
    const random = new FastRandom(seed);
    const texts = Array.from({ length: count }, () =>
      Array.from({ length: 1 + below(random, MOST_LINES) }, () => lineOf(random)),
    );
    const rows: Uint8Array[] = [];
    for (const lines of texts) rows.push(joinBytes([await draw(lines)]));
    const sha256 = createHash('sha256');
    for (const row of rows) sha256.update(row);
    return {
      name: 'printed',
      totalSampleCount: count,
      performanceSampleCount: count,
      sha256: sha256.digest('hex'),
      inputs: (index) => [{ name: input.name, datatype: 'BYTES', shape: [1], data: rows[index]! }],
      answer: (index) => texts[index]!.join('\n'),
    };
  },
} as const satisfies SampleDefinition;

function lineOf(random: FastRandom): string {
  const words = Array.from({ length: 1 + below(random, 3) }, () => WORDS[below(random, WORDS.length)]!);
  return `${words.join(' ')} ${100 + below(random, 900)}`;
}

function below(random: FastRandom, count: number): number {
  return random.next32() % count;
}
