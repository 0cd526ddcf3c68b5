export type { LiveEvent, LiveSample } from './events.js';
export { type LiveServer, startLiveServer } from './server.js';
