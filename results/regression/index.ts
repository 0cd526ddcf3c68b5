export { markdownComment } from './comment.js';
export {
  type Capacity,
  capacitiesOf,
  entryOf,
  type HistoryEntry,
  historyFolder,
  historyNames,
  readHistory,
  recordEntry,
} from './history.js';
export { confirmed, type GateFinding, type GateOptions, isBad, judgeRun } from './judge.js';
export { junitXml } from './junit.js';
export { type GateOutcome, placeOf, sentenceOf } from './outcome.js';
export { historyReport, placeText, segmentRows } from './page.js';
