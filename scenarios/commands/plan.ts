import pc from 'picocolors';
import { captureEnvironment } from '../../results/capture.js';
import { formatDuration } from '../../results/units.js';
import type { CommandDefinition } from '../contract.js';
import { EXIT } from '../contract.js';
import { loadScenario } from '../load.js';
import { estimateNs } from '../plan.js';
import { planWithModels } from '../prepare.js';
import { table } from '../print.js';
import { calibrationOf, checkRooflines } from '../roofline.js';
import { scaled } from '../scale.js';

interface PlanOptions {
  readonly json?: boolean;
  readonly force?: boolean;
  readonly scale?: string;
}

export const planCommand: CommandDefinition = {
  name: 'plan',
  summary: 'read and check a scenario, print its trials in order, start nothing',
  configure(command, finish) {
    command
      .argument('<scenario>', 'scenario file')
      .option('--json', 'the whole plan as JSON')
      .option('--scale <factor>', 'loads so many times as long, their phases with them')
      .option('--force', 'also loads above 70 % of what the calibrated load processes can do')
      .action((file: string, options: PlanOptions) => finish(plan(file, options)));
  },
};

async function plan(file: string, { json = false, force = false, scale }: PlanOptions): Promise<number> {
  const scenario = scaled(loadScenario(file), scale);
  const command = `servemark run ${file}${scale === undefined ? '' : ` --scale ${scale}`}`;
  const { trials, stored, requestBytes } = await planWithModels(scenario, command);
  if (!force) checkRooflines(scenario, trials, requestBytes, calibrationOf(captureEnvironment()));
  if (json) {
    process.stdout.write(`${JSON.stringify(stored, null, 2)}\n`);
    return EXIT.done;
  }
  process.stdout.write(`${pc.bold(scenario.question)}\n\n`);
  const rows = trials.map(({ identity, load }, index) => [
    String(index + 1),
    identity.system,
    identity.load,
    load.summary,
    identity.transport,
    String(identity.repeat),
  ]);
  process.stdout.write(table(['#', 'system', 'load', '', 'transport', 'repeat'], rows));
  process.stdout.write(
    `\n${trials.length} trials, about ${formatDuration(estimateNs(scenario, trials))}. Run them: ${command}\n`,
  );
  return EXIT.done;
}
