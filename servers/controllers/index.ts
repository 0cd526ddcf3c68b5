/** Controllers, for other folders. */
export { type Controller, type ControllerDefinition, defineController } from './contract.js';
export { controllers, createController, findController } from './registry.js';
