export { arrivals, createArrival } from './registry.js';
