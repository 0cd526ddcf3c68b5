import type { GateDefinition } from './contract.js';
import { percent } from './text.js';

export const clock: GateDefinition = {
  name: 'clock',
  summary: 'monotonic and wall clock agree: apart by more than 0.1 % warns, by more than 1 % fails',
  check({ drive, trial }) {
    const apart = Math.abs(drive.clockDrift);
    if (trial.simulated || !(apart > 0.001)) return undefined;
    return {
      severity: apart > 0.01 ? 'invalid' : 'warning',
      message: `The wall clock ran ${percent(apart)} ${drive.clockDrift > 0 ? 'faster' : 'slower'} than the monotonic clock (at most ${apart > 0.01 ? '1' : '0.1'} %).`,
      advice:
        'Look for a clock that is being set (NTP step), a suspended machine or a paused virtual machine, and run again.',
    };
  },
};
