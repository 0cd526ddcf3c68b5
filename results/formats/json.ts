import type { Block, Cell } from '../views/index.js';
import type { FormatDefinition, Rendered, Section } from './contract.js';
import { plain } from './inline.js';

const REPORT_SCHEMA = 1;

/** What the report says, for programs: its tables with the trials behind each cell, and every number of every trial. */
export const json: FormatDefinition = {
  name: 'json',
  summary: 'The tables with the trials behind each cell, and every number of every trial, for programs',
  extension: 'json',
  views: 'all',
  render(report): Promise<Rendered> {
    const value = {
      schema: REPORT_SCHEMA,
      title: report.title,
      facts: report.facts.map(plain),
      notices: report.notices.map(plain),
      sections: report.sections.map(section),
      measurements: report.measurements ?? [],
    };
    return Promise.resolve({ text: `${JSON.stringify(value, null, 1)}\n`, files: [] });
  },
};

function section({ name, blocks }: Section) {
  return { name, blocks: blocks.map(block) };
}

/** Charts are named: their data and specification are the format `vega`. */
function block(each: Block): unknown {
  switch (each.kind) {
    case 'heading':
    case 'text':
      return { kind: each.kind, text: plain(each.text) };
    case 'list':
      return { kind: 'list', items: each.items.map(plain) };
    case 'code':
      return { kind: 'code', text: each.text };
    case 'chart':
      return { kind: 'chart', name: each.name, caption: each.caption };
    case 'table':
      return {
        kind: 'table',
        caption: each.caption ?? null,
        columns: each.columns.map(({ title }) => title),
        rows: each.rows.map((row) => row.map(cell)),
      };
  }
}

function cell(each: Cell) {
  const { text, mark, trials }: Exclude<Cell, string> = typeof each === 'string' ? { text: each } : each;
  return { text: plain(text), mark: mark ?? null, trials: trials ?? [] };
}
