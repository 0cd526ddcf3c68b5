import type { GateDefinition, GateInput } from './contract.js';
import { count, percent } from './text.js';

/** Without a target errors are shown but judged only where nothing succeeded: an overload may well be refused. */
export const errorRate: GateDefinition = {
  name: 'error-rate',
  summary: 'the share of requests that did not end ok stays within the target',
  check(input) {
    const { counts, targets } = input;
    const failed = counts.issued - counts.ok;
    if (failed === 0 && counts.issued > 0) return undefined;
    const share = counts.issued === 0 ? 1 : failed / counts.issued;
    const seen = `${count(failed)} of ${count(counts.issued)} requests did not end ok (${percent(share)}${kinds(input)})`;
    if (counts.ok === 0)
      return { severity: 'invalid', message: `No request was answered: ${seen}.`, advice: advice(input) };
    if (targets.errorRate === undefined) return { severity: 'warning', message: `${seen}.`, advice: advice(input) };
    if (share <= targets.errorRate) return undefined;
    return {
      severity: 'invalid',
      message: `${seen}; the target allows ${percent(targets.errorRate)}.`,
      advice: advice(input),
    };
  },
};

function commonestFirst({ errors }: GateInput): [code: string, count: number][] {
  return Object.entries(errors).sort((a, b) => b[1] - a[1]);
}

/** The three commonest error codes. */
function kinds(input: GateInput): string {
  const sorted = commonestFirst(input);
  return sorted.length === 0
    ? ''
    : `: ${sorted
        .slice(0, 3)
        .map(([code, n]) => `${code} ${count(n)}`)
        .join(', ')}`;
}

function advice(input: GateInput): string {
  const { counts, load } = input;
  if (commonestFirst(input)[0]?.[0] === 'worker-died')
    return 'An instance died under them: look for a crash of the runtime, or for memory that ran out, and run again.';
  const less = load.scheduled ? 'lower the rate' : 'lower the concurrency';
  if (counts.failed > counts.rejected + counts.timedOut)
    return 'Look at the server’s last lines: requests failed there.';
  if (counts.timedOut > counts.rejected) return `The server did not answer in time: ${less}, or raise the timeout.`;
  return `The server refused what its queue could not hold: ${less}, or raise its maximum queue size.`;
}
