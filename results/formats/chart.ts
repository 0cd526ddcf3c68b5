import { logger, Error as onlyErrors, parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { FAINT, GRID, INK, PALETTE } from '../views/support/palette.js';
import { escapeXml } from './escape.js';

/**
 * A chart as SVG text, drawn without a canvas or a browser. Its colours are those for light grounds, as plain attributes,
 * so that every renderer shows them; `darkRules` swaps them where the reader's ground is dark. The ground is transparent.
 * The same specification gives the same text.
 */
export async function renderSvg(spec: TopLevelSpec, title: string): Promise<string> {
  const log = logger(onlyErrors);
  const compiled = compile({ ...spec, background: 'transparent', padding: 6 }, { config: THEME, logger: log }).spec;
  const view = new View(parse(compiled), { renderer: 'none', logger: log });
  const svg = await view.toSVG();
  view.finalize();
  return slim(svg).replace(/^<svg([^>]*)>/, (_, attributes: string) => {
    const label = escapeXml(title);
    return `<svg${attributes} role="img" aria-label="${label}" font-family="${FONT}"><title>${label}</title>`;
  });
}

/** As a file of its own: with a ground, because who shows it may not know the reader's preference. */
export async function renderSvgFile(spec: TopLevelSpec, title: string): Promise<string> {
  const svg = await renderSvg(spec, title);
  const style = `<style>@media (prefers-color-scheme: dark) {${darkRules('')}[fill="${GROUND.light}"]{fill:${GROUND.dark}}}</style>`;
  const ground = `<rect width="100%" height="100%" fill="${GROUND.light}"/>`;
  return `${svg.replace('</title>', `</title>${style}${ground}`)}\n`;
}

/** Rules that turn each colour into its twin for dark grounds; rules of a style sheet are stronger than attributes. */
export function darkRules(scope: string): string {
  return PALETTE.map(
    ({ light, dark }) => `${scope}[fill="${light}"]{fill:${dark}}${scope}[stroke="${light}"]{stroke:${dark}}`,
  ).join('');
}

const GROUND = { light: '#ffffff', dark: '#14181d' };
const FONT = 'system-ui, sans-serif';

const THEME = {
  font: FONT,
  aria: false,
  view: { stroke: null },
  axis: {
    labelColor: FAINT.light,
    titleColor: INK.light,
    gridColor: GRID.light,
    domainColor: FAINT.light,
    tickColor: FAINT.light,
    labelFontSize: 11,
    titleFontSize: 12,
    titleFontWeight: 'normal' as const,
    labelLimit: 220,
  },
  legend: { labelColor: INK.light, labelFontSize: 12, labelLimit: 280, symbolSize: 90, symbolStrokeWidth: 2 },
  text: { fill: INK.light },
};

/** Leaves out what a still picture does not need, and digits that nobody sees: a third of the size. */
function slim(svg: string): string {
  return svg
    .replaceAll(/<path class="(?:foreground|background)"[^>]*d="(?:M0[^"]*h0v0h0Z|)"[^>]*\/>/g, '')
    .replaceAll(
      / (?:class|role|aria-[a-z]+|pointer-events|font-family|xmlns:xlink|version|stroke-miterlimit)="[^"]*"/g,
      '',
    )
    .replaceAll(' opacity="1"', '')
    .replaceAll(/="[^"]*"/g, (attribute) => attribute.replaceAll(/(\d\.\d\d)\d+/g, '$1'));
}
