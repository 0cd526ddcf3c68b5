import type { GateInput } from './gates/index.js';
import { gates } from './gates/index.js';
import type { Finding, Verdict } from './summary.js';

/** VALID where no gate says otherwise. Missed targets and warnings are told and leave it VALID. */
export function judge(input: GateInput): Verdict {
  const findings = gates.flatMap((gate): Finding[] => {
    const found = gate.check(input);
    return found ? [{ rule: gate.name, ...found }] : [];
  });
  return { state: findings.some(({ severity }) => severity === 'invalid') ? 'INVALID' : 'VALID', findings };
}
