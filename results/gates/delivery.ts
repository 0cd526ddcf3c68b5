import type { GateDefinition } from './contract.js';
import { count, percent } from './text.js';

export const delivery: GateDefinition = {
  name: 'delivery',
  summary: 'at least 99.5 % of the requests of the schedule are sent',
  check({ counts, drive, load }) {
    // A drive that ended early is told by its own gate; closed loops have no schedule to deliver.
    if (drive.stoppedEarly !== null || (!load.scheduled && !load.latenessExpected) || counts.offered === 0)
      return undefined;
    const share = counts.issued / counts.offered;
    if (share >= 0.995) return undefined;
    return {
      severity: 'invalid',
      message: `Only ${count(counts.issued)} of ${count(counts.offered)} requests of the schedule were sent (${percent(share)}, at least 99.5 % are needed).`,
      advice: load.scheduled ? 'Lower the rate, or add load processes.' : 'Allow more time, or offer fewer samples.',
    };
  },
};
