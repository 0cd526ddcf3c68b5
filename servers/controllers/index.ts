/** Controllers, for other folders. */
export { controllers, createController, findController } from './registry.js';
