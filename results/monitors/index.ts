export type { RecentReading } from './recent.js';
export { monitors } from './registry.js';
export { type Monitored, type MonitorSettings, startMonitors } from './set.js';
