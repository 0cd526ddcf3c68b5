import pc from 'picocolors';

/** Columns padded to their widest cell, the head dimmed; for lists that are not results. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd();
  return `${[pc.dim(line(head)), ...rows.map(line)].join('\n')}\n`;
}
