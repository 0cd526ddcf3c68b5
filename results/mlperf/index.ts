export { accuracyLog } from './accuracy-log.js';
export { detailLog } from './detail-log.js';
export { performanceOf } from './performance.js';
export type { MlperfSettings, MlperfTrial } from './settings.js';
export { summaryLog } from './summary-log.js';
export { traceLog } from './trace-log.js';
