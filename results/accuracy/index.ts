export type { AccuracyMetric, AnswerPart, Truth } from './contract.js';
export { accuracyMetricNamed, accuracyMetrics } from './registry.js';
