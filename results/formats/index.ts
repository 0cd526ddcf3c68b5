export type { Rendered, RenderOptions, Report } from './contract.js';
export { formatNamed, formats } from './registry.js';
