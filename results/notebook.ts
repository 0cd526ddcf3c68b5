import { renderSvgFile } from './formats/chart.js';
import { escapeXml } from './formats/escape.js';

/** Under this name a value says its own forms by MIME type: Jupyter's Deno kernel and our runner ask for it. */
const DISPLAY = Symbol.for('Jupyter.display');

/** A Vega-Lite chart as SVG. */
export async function figure(title: string, spec: Parameters<typeof renderSvgFile>[0]): Promise<object> {
  return shown({ 'image/svg+xml': await renderSvgFile(spec, title), 'text/plain': title });
}

/** Rows under columns; numbers are set right. */
export function table(columns: readonly string[], rows: readonly (readonly (string | number)[])[]): object {
  const kind = (value: string | number) =>
    typeof value === 'number' || /^[\d.,<]+ ?\S{0,6}$/.test(value) ? 'right' : 'left';
  const cells = (row: readonly (string | number)[]) =>
    row
      .map((value) => `<td class="${kind(value)}" style="text-align:${kind(value)}">${escapeXml(String(value))}</td>`)
      .join('');
  const head = columns.map((name) => `<th scope="col">${escapeXml(name)}</th>`).join('');
  const body = rows.map((row) => `<tr>${cells(row)}</tr>`).join('\n');
  return shown({
    'text/html': `<table>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${body}\n</tbody>\n</table>`,
    'text/plain': textTable([columns, ...rows]),
  });
}

function textTable(rows: readonly (readonly (string | number)[])[]): string {
  const widths = rows[0]!.map((_, at) => Math.max(...rows.map((row) => String(row[at] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((value, at) => String(value).padEnd(widths[at]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function shown(data: Readonly<Record<string, string>>): object {
  return { [DISPLAY]: () => data };
}
