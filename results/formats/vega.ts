import { renderSvgFile } from './chart.js';
import type { FormatDefinition, Rendered } from './contract.js';

const SCHEMA = 'https://vega.github.io/schema/vega-lite/v6.json';

/** Each chart as a Vega-Lite specification with its data inside, and as SVG: to be restyled or put into a page. */
export const vega: FormatDefinition = {
  name: 'vega',
  summary: 'Vega-Lite specifications with their data, one file a figure, and the figures as SVG',
  extension: 'vega.json',
  views: 'all',
  async render(report): Promise<Rendered> {
    const charts = report.sections.flatMap(({ blocks }) => blocks.filter((block) => block.kind === 'chart'));
    const files: { path: string; content: string }[] = [];
    for (const { name, caption, spec } of charts) {
      const whole = { $schema: SCHEMA, description: caption, ...spec };
      files.push({ path: `figures/${name}.vl.json`, content: `${JSON.stringify(whole, null, 1)}\n` });
      files.push({ path: `figures/${name}.svg`, content: await renderSvgFile(spec, caption) });
    }
    const figures = charts.map(({ name, caption }) => ({ name, caption, spec: `figures/${name}.vl.json` }));
    return { text: `${JSON.stringify({ title: report.title, figures }, null, 1)}\n`, files };
  },
};
