import { describe, expect, it } from 'vitest';
import type { Report } from '../../../results/formats/contract.js';
import { html } from '../../../results/formats/html.js';
import { pieces } from '../../../results/formats/inline.js';
import { markdown } from '../../../results/formats/markdown.js';
import { terminal } from '../../../results/formats/terminal.js';

/** One of each block. */
const report: Report = {
  title: 'Is a faster than b?',
  facts: ['scenario tiny', '2 trials'],
  notices: ['Simulated: nothing was measured.'],
  sections: [
    {
      name: 'headline',
      blocks: [
        { kind: 'heading', text: 'Answer' },
        { kind: 'text', text: '**a** is, at `50%` & < 2 ms.' },
        { kind: 'list', items: ['one', 'two | three'] },
        { kind: 'code', text: 'servemark run tiny.yaml' },
        {
          kind: 'table',
          caption: 'p99 latency (lower is better)',
          columns: [
            { title: 'system', align: 'left' },
            { title: 'half', align: 'right' },
          ],
          rows: [
            ['a', { text: '1.00 ms (0.9–1.1 ms)', short: '1.00 ms', mark: 'good', trials: ['a.half.grpc.r1'] }],
            ['b', { text: '12.0 ms ⚠ INVALID', short: '12.0 ms ⚠', mark: 'bad' }],
          ],
        },
      ],
    },
    {
      name: 'ecdf',
      blocks: [
        {
          kind: 'chart',
          name: 'ecdf.half',
          caption: 'Latency distribution: half',
          spec: {
            width: 100,
            height: 50,
            data: {
              values: [
                { x: 1, y: 2 },
                { x: 2, y: 1 },
              ],
            },
            mark: 'line',
            encoding: { x: { field: 'x', type: 'quantitative' }, y: { field: 'y', type: 'quantitative' } },
          },
        },
      ],
    },
  ],
};

describe('each format', () => {
  it('renders the small report as it always did', async () => {
    await expect((await terminal.render(report, {})).text).toMatchFileSnapshot('../../golden/report-tiny.txt');
    await expect((await markdown.render(report, {})).text).toMatchFileSnapshot('../../golden/report-tiny.md');
    await expect((await html.render(report, {})).text).toMatchFileSnapshot('../../golden/report-tiny.html');
    const [figure] = (await markdown.render(report, {})).files;
    await expect(figure!.content).toMatchFileSnapshot('../../golden/report-tiny.svg');
  });
});

describe('inline markup', () => {
  it('is code and bold, and nothing else', () => {
    expect(pieces('a **b** `c*d` e')).toEqual([
      { kind: 'plain', text: 'a ' },
      { kind: 'bold', text: 'b' },
      { kind: 'plain', text: ' ' },
      { kind: 'code', text: 'c*d' },
      { kind: 'plain', text: ' e' },
    ]);
  });

  it('leaves unpaired marks as they are', () => {
    expect(pieces('2 ** 3 and ` alone')).toEqual([{ kind: 'plain', text: '2 ** 3 and ` alone' }]);
  });
});
