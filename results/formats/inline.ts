/** A piece of a line of text: the only markup of views is `code` and **bold**. */
export interface Piece {
  readonly kind: 'plain' | 'code' | 'bold';
  readonly text: string;
}

/** Splits a text at its markup; an unpaired mark is plain text. */
export function pieces(text: string): readonly Piece[] {
  const found: Piece[] = [];
  let at = 0;
  for (const match of text.matchAll(/`([^`]+)`|\*\*(.+?)\*\*/g)) {
    if (match.index > at) found.push({ kind: 'plain', text: text.slice(at, match.index) });
    const [whole, code, bold] = match;
    found.push(code === undefined ? { kind: 'bold', text: bold! } : { kind: 'code', text: code });
    at = match.index + whole.length;
  }
  if (at < text.length) found.push({ kind: 'plain', text: text.slice(at) });
  return found;
}

/** The text without its markup. */
export function plain(text: string): string {
  return pieces(text)
    .map((piece) => piece.text)
    .join('');
}
