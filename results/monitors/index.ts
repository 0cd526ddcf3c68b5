export type { EventLoopFigures, MonitorTarget } from './contract.js';
export { monitors } from './registry.js';
export {
  checkMonitor,
  DEFAULT_PERIOD_MS,
  type MonitorChoice,
  type Monitored,
  type MonitorSet,
  type MonitorSettings,
  startMonitors,
} from './set.js';
