import { absent, type MetricDefinition } from './contract.js';

export const errorRate: MetricDefinition = {
  name: 'errorRate',
  summary: 'share of the issued requests that did not end ok (rejected, failed, timed out, cancelled, unfinished)',
  compute: ({ records, rows, measured }) => {
    const issued = measured.reduce((sum, row) => sum + (Number.isNaN(records.issuedNs[row]!) ? 0 : 1), 0);
    if (issued === 0) return absent('', 'no request was issued');
    return { value: (issued - rows.length) / issued, unit: '' };
  },
};
