import { UserError } from '../errors.js';

/** A figure as PNG, two pixels a point, on its light ground; undefined where `@resvg/resvg-js` (optional) is not installed. */
export async function toPng(svg: string): Promise<Uint8Array | undefined> {
  const { Resvg } = (await load()) ?? {};
  if (!Resvg) return undefined;
  const font = { loadSystemFonts: true, sansSerifFamily: 'DejaVu Sans', defaultFontFamily: 'DejaVu Sans' };
  // It knows no media queries and would apply the rules for dark grounds.
  const plain = svg.replace(/<style>[\s\S]*?<\/style>/, '').replaceAll('system-ui, ', '');
  return new Resvg(plain, { font, fitTo: { mode: 'zoom', value: 2 } }).render().asPng();
}

/** PNG files beside the SVG files among these. Throws UserError where they can't be made. */
export async function withPngs<File extends { readonly path: string; readonly content: string | Uint8Array }>(
  files: readonly File[],
): Promise<{ readonly path: string; readonly content: string | Uint8Array }[]> {
  const all: { readonly path: string; readonly content: string | Uint8Array }[] = [];
  for (const file of files) {
    all.push(file);
    if (!file.path.endsWith('.svg') || typeof file.content !== 'string') continue;
    const path = file.path.replace(/\.svg$/, '.png');
    if (files.some((other) => other.path === path)) continue;
    const content = await toPng(file.content);
    if (!content)
      throw new UserError({
        place: '--png',
        found: '@resvg/resvg-js is not installed, which makes PNG of SVG',
        remedy: 'npm install @resvg/resvg-js, or take the SVG files',
      });
    all.push({ path, content });
  }
  return all;
}

async function load(): Promise<typeof import('@resvg/resvg-js') | undefined> {
  try {
    return await import('@resvg/resvg-js');
  } catch {
    return undefined;
  }
}
