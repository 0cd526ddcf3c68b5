import { loadSharp } from './pixels.js';

const [MARGIN, SPACING, FONT, WIDTH] = [20, 60, 32, 640];

/**
 * Draws lines of text one below the other, black on white, as PNG; 640 pixels wide: about 28 characters a line. The font is
 * the machine's sans serif, so that the bytes differ from machine to machine. Throws UserError where sharp is not installed.
 */
export async function lineDrawer(place: string): Promise<(lines: readonly string[]) => Promise<Uint8Array>> {
  const sharp = await loadSharp(place);
  return (lines) => {
    const height = 2 * MARGIN + SPACING * lines.length;
    const texts = lines.map(
      (line, i) =>
        `<text x="${MARGIN}" y="${MARGIN + SPACING * i + 40}" font-family="DejaVu Sans, sans-serif" font-size="${FONT}">${escaped(line)}</text>`,
    );
    const svg = `<svg width="${WIDTH}" height="${height}">${texts.join('')}</svg>`;
    return sharp({ create: { width: WIDTH, height, channels: 3, background: '#ffffff' } })
      .composite([{ input: Buffer.from(svg) }])
      .png()
      .toBuffer();
  };
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
