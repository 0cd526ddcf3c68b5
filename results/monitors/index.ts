export type { EventLoopFigures } from './contract.js';
export { openNvml } from './nvml-library.js';
export type { RecentReading } from './recent.js';
export { monitors } from './registry.js';
export {
  checkMonitor,
  type MonitorChoice,
  type Monitored,
  type MonitorSet,
  type MonitorSettings,
  startMonitors,
} from './set.js';
