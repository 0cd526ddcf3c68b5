import { auditCommand } from './commands/audit.js';
import { benchCommand } from './commands/bench.js';
import { calibrateCommand } from './commands/calibrate.js';
import { compareCommand } from './commands/compare.js';
import { conformCommand } from './commands/conform.js';
import { crosscheckCommand } from './commands/crosscheck.js';
import { doctorCommand } from './commands/doctor.js';
import { driveCommand } from './commands/drive.js';
import { findPeakCommand } from './commands/find-peak.js';
import { gateCommand } from './commands/gate.js';
import { historyCommand } from './commands/history.js';
import { initCommand } from './commands/init.js';
import { listCommand } from './commands/list.js';
import { modelsCommand } from './commands/models.js';
import { optimizeCommand } from './commands/optimize.js';
import { planCommand } from './commands/plan.js';
import { planCapacityCommand } from './commands/plan-capacity.js';
import { profileCommand } from './commands/profile.js';
import { replayCommand } from './commands/replay.js';
import { reportCommand } from './commands/report.js';
import { runCommand } from './commands/run.js';
import { scheduleCommand } from './commands/schedule.js';
import { serveCommand } from './commands/serve.js';
import { simulateCommand } from './commands/simulate.js';
import { tuneCommand } from './commands/tune.js';
import type { CommandDefinition } from './contract.js';

/** Every sub-command. One import and one line per addition. */
export const commands = [
  runCommand, // the main job
  planCommand,
  findPeakCommand,
  auditCommand,
  reportCommand,
  compareCommand,
  tuneCommand,
  benchCommand,
  gateCommand,
  historyCommand,
  replayCommand,
  simulateCommand,
  planCapacityCommand,
  profileCommand,
  calibrateCommand,
  serveCommand,
  driveCommand,
  scheduleCommand,
  crosscheckCommand,
  conformCommand,
  listCommand,
  doctorCommand,
  initCommand,
  modelsCommand,
  optimizeCommand,
] as const satisfies readonly CommandDefinition[];
