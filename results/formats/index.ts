export type { FormatDefinition, Rendered, RenderOptions, Report, Section } from './contract.js';
export { formatNamed, formats } from './registry.js';
