export { arrivals, createArrival, exactArrivals } from './registry.js';
