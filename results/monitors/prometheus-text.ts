import type { ReadingKind } from '../readings.js';

/** One line of a page in the text format 0.0.4: `name{label="value"} 1.5`. */
export interface Sample {
  readonly name: string;
  /** As on the page, in its order: `{model="a",version="1"}`; empty where there are none. */
  readonly labels: string;
  readonly value: number;
  /** By the page's `# TYPE`, sums and counts of histograms and summaries being counters. Untyped: a gauge. */
  readonly kind: ReadingKind;
}

/** The samples of a page whose names are wanted. Lines that are none are left out. Source: Prometheus exposition formats. */
export function parsePrometheus(page: string, wanted: (name: string) => boolean = () => true): Sample[] {
  const types = new Map<string, string>();
  const samples: Sample[] = [];
  for (const line of page.split('\n')) {
    if (line.startsWith('#')) {
      const type = /^#\s*TYPE\s+(\S+)\s+(\S+)/.exec(line);
      if (type) types.set(type[1]!, type[2]!);
      continue;
    }
    const match = LINE.exec(line);
    if (!match || !wanted(match[1]!)) continue;
    const [, name = '', labels = '', text = ''] = match;
    samples.push({ name, labels: labels.replace(/,\s*}$/, '}'), value: numberOf(text), kind: kindOf(name, types) });
  }
  return samples;
}

/** Label values may hold any character, brackets too; a time stamp may follow the value. */
const LINE = /^([A-Za-z_:][\w:]*)\s*(\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\})?\s+(\S+)(?:\s+-?\d+)?\s*$/;

function numberOf(text: string): number {
  if (/^[+-]?inf$/i.test(text)) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return Number(text);
}

function kindOf(name: string, types: ReadonlyMap<string, string>): ReadingKind {
  const own = types.get(name);
  if (own !== undefined) return own === 'counter' ? 'counter' : 'gauge';
  const [, family = name, part] = /^(.*)_(bucket|sum|count|total)$/.exec(name) ?? [];
  const type = types.get(family);
  const cumulative = type === 'histogram' || type === 'summary' || (type === 'counter' && part === 'total');
  return cumulative ? 'counter' : 'gauge';
}
