import type { Report } from './formats/index.js';
import type { Block, Cell } from './views/index.js';

/** Reports of several runs as one: each opens with its question; sections, figures and trials carry their run's name. */
export function joinReports(reports: readonly Report[], names: readonly string[]): Report {
  const paths = new Map<string, string>();
  const sections = reports.flatMap((report, at) => {
    const name = names[at]!;
    const path = (id: string): string => report.trialPath?.(id) ?? `trials/${id}`;
    const renamed = (id: string): string => {
      const long = `${name}/${id}`;
      paths.set(long, path(id));
      return long;
    };
    const opening: Block[] = [
      { kind: 'heading', text: `Run ${name}` },
      { kind: 'text', text: `**${report.title}**` },
      { kind: 'text', text: report.facts.join(' · ') },
      ...report.notices.map((text): Block => ({ kind: 'text', text: `⚠ **${text}**` })),
    ];
    return [
      { name, blocks: opening },
      ...report.sections.map((section) => ({
        name: `${name}.${section.name}`,
        blocks: section.blocks.map((block) => inRun(block, name, renamed)),
      })),
    ];
  });
  return {
    title: `${reports.length} runs`,
    facts: names,
    notices: [],
    sections,
    measurements: reports.flatMap((report, at) =>
      (report.measurements ?? []).map((row) => ({ ...row, run: names[at]! })),
    ),
    trialPath: (id) => paths.get(id) ?? `trials/${id}`,
  };
}

function inRun(block: Block, name: string, renamed: (id: string) => string): Block {
  if (block.kind === 'chart') return { ...block, name: `${name}.${block.name}` };
  if (block.kind !== 'table') return block;
  return { ...block, rows: block.rows.map((row) => row.map((cell) => cellInRun(cell, renamed))) };
}

function cellInRun(cell: Cell, renamed: (id: string) => string): Cell {
  if (typeof cell === 'string') return cell;
  return {
    ...cell,
    trials: cell.trials?.map(renamed),
    anchor: cell.anchor === undefined ? undefined : renamed(cell.anchor),
  };
}
