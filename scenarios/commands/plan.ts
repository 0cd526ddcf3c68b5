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

export const planCommand: CommandDefinition = {
  name: 'plan',
  summary: 'read and check a scenario, print its trials in order, start nothing',
  configure(command, finish) {
    command
      .argument('<scenario>', 'scenario file')
      .option('--json', 'the whole plan as JSON')
      .option('--force', 'also loads above 70 % of what the calibrated load processes can do')
      .action((file: string, { json = false, force = false }: { json?: boolean; force?: boolean }) =>
        finish(plan(file, json, force)),
      );
  },
};

async function plan(file: string, json: boolean, force: boolean): Promise<number> {
  const scenario = loadScenario(file);
  const { trials, stored, requestBytes } = await planWithModels(scenario, `servemark run ${file}`);
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
    `\n${trials.length} trials, about ${formatDuration(estimateNs(scenario, trials))}. Run them: servemark run ${file}\n`,
  );
  return EXIT.done;
}
