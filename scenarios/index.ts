export { main } from './cli.js';
export { EXIT } from './contract.js';
