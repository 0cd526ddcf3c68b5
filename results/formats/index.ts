export type { Rendered, RenderOptions, Report } from './contract.js';
export { withPngs } from './png.js';
export { formatNamed, formats } from './registry.js';
