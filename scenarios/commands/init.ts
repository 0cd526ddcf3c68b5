import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../results/errors.js';
import { writeFileAtomic } from '../../results/files.js';
import type { CommandDefinition } from '../contract.js';
import { EXIT } from '../contract.js';
import { scenarioTemplate, strategyTemplate } from '../templates.js';

export const initCommand: CommandDefinition = {
  name: 'init',
  summary: 'write a commented scenario, and with --strategy a one-file strategy to start from',
  configure(command, finish) {
    command
      .argument('[folder]', 'where to write', '.')
      .option('--model <path>', 'your own ONNX file')
      .option('--strategy <name>', 'also write NAME.ts, a strategy skeleton')
      .action((folder: string, options: { model?: string; strategy?: string }) => finish(init(folder, options)));
  },
};

async function init(folder: string, options: { model?: string; strategy?: string }): Promise<number> {
  mkdirSync(folder, { recursive: true });
  const written = [write(join(folder, 'my-scenario.yaml'), scenarioTemplate(options.model))];
  if (options.strategy !== undefined) {
    if (!/^[a-z][a-z0-9-]*$/.test(options.strategy))
      throw new UserError({
        place: '--strategy',
        found: `"${options.strategy}" can't name a strategy`,
        allowed: 'small letters, digits and "-"',
      });
    written.push(write(join(folder, `${options.strategy}.ts`), strategyTemplate(options.strategy)));
  }
  process.stdout.write(`${written.map((path) => `wrote ${path}`).join('\n')}\nRun it: servemark run ${written[0]}\n`);
  if (options.strategy)
    process.stdout.write(
      `Move ${options.strategy}.ts to servers/strategies/ and add its line to servers/strategies/registry.ts.\n`,
    );
  return EXIT.done;
}

function write(path: string, content: string): string {
  if (existsSync(path))
    throw new UserError({
      place: path,
      found: 'is there already',
      remedy: 'Move it away, or name another folder: servemark init FOLDER.',
    });
  writeFileAtomic(path, content, 'this file');
  return path;
}
