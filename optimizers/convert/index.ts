export { converterNamed } from './registry.js';
export { convertTfjs } from './tfjs.js';
export { writeTfjs } from './to-tfjs.js';
