import { ROOFLINE_SHARE } from '../calibration.js';
import { formatRate } from '../units.js';
import type { GateDefinition, GateInput } from './contract.js';
import { percent } from './text.js';

/** Without a calibration it says nothing: the report does (roofline of the summary). */
export const roofline: GateDefinition = {
  name: 'roofline',
  summary: 'the load asks for at most 70 % of what the load processes manage against a system that does nothing',
  check(input) {
    const { roofline: limit, load } = input;
    if (!limit || limit.perSecond === null) return undefined;
    const used = usedPerSecond(input);
    if (used === null || used <= ROOFLINE_SHARE * limit.perSecond) return undefined;
    const [what, lower] = load.scheduled ? ['The load offers', 'Lower the rate, a'] : ['The loop reached', 'A'];
    const many = limit.processes === 1 ? 'one load process' : `${limit.processes} load processes`;
    return {
      // A probe is to find a capacity: that the generator may have been the limit is told, and no figure is refused for it.
      severity: input.trial.loadType === 'probe' ? 'warning' : 'invalid',
      message: `${what} ${formatRate(used)}, ${percent(used / limit.perSecond)} of the ${formatRate(limit.perSecond)} that ${many} can do over ${input.trial.transport} on this host; ${percent(ROOFLINE_SHARE)} (${formatRate(ROOFLINE_SHARE * limit.perSecond)}) are allowed.`,
      advice: `${lower}dd load processes (loadProcesses) where there are processors for them, or calibrate again if the host has changed.`,
    };
  },
};

/** Requests a second: offered by a schedule, answered in a loop. */
export function usedPerSecond({ load, window, drive, counts }: Omit<GateInput, 'trial'>): number | null {
  const { records, measured } = window;
  const last = measured.at(-1);
  if (last === undefined) return null;
  if (load.scheduled) return measured.length > 1 ? ((measured.length - 1) / records.dueNs[last]!) * 1e9 : null;
  return drive.durationNs > 0 ? (counts.ok / drive.durationNs) * 1e9 : null;
}
