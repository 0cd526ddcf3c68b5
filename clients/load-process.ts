import { loadBody } from './load-body.js';

/** A process of its own for the load. */
loadBody();
