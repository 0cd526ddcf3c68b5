export type { Monitor, MonitorDefinition } from './contract.js';
export { monitor, monitors } from './registry.js';
