import type { GateDefinition } from './contract.js';
import { count } from './text.js';

export const stoppedEarly: GateDefinition = {
  name: 'stopped-early',
  summary: 'the load ran to its own end',
  check({ counts, drive }) {
    if (drive.stoppedEarly === null) return undefined;
    return {
      severity: 'invalid',
      message: `The load ended before its time after ${count(counts.issued)} requests: ${drive.stoppedEarly}.`,
      advice: drive.stoppedEarly.includes('interrupt')
        ? 'Run it again with --resume.'
        : 'Lower the rate or the concurrency so that the server keeps up, or raise the limit that was reached.',
    };
  },
};
