import { countAbove, percentile } from '../stats/index.js';
import { formatDuration } from '../units.js';
import type { GateDefinition } from './contract.js';
import { count, percent, percentileName } from './text.js';

/** The server load type's own rule. A request without an answer was over any bound. */
export const performanceConstraint: GateDefinition = {
  name: 'performance-constraint',
  summary: 'the load type’s percentile of latency stays within its bound (server: p99)',
  check({ load, window, counts }) {
    const p = load.primary.percentile;
    const bound = load.latencyBoundNs;
    if (p === null || bound === null || counts.issued === 0) return undefined;
    const sorted = window.sortedLatencyNs;
    const n = counts.issued;
    const unanswered = n - sorted.length;
    const over = countAbove(sorted, bound) + unanswered;
    if (n - over > Math.floor(n * p)) return undefined;
    const seen = percentile(sorted, p);
    const value = Number.isNaN(seen) ? '' : `, ${percentileName(p)} ${formatDuration(seen)}`;
    return {
      severity: 'invalid',
      message: `${count(over)} of ${count(n)} queries (${percent(over / n)}) took longer than ${formatDuration(bound)}${unanswered > 0 ? ` or were not answered (${count(unanswered)})` : ''}; at most ${percent(1 - p)} may${value}.`,
      advice: 'Lower the rate: the system does not hold its latency bound at this one.',
    };
  },
};
