import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../results/errors.js';
import { writeFileAtomic } from '../../results/files.js';
import { strategies } from '../../servers/strategies/index.js';
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
  if (options.model !== undefined && !existsSync(options.model))
    throw new UserError({ place: '--model', found: `there is no file ${options.model}`, allowed: 'an ONNX file' });
  const files = filesOf(folder, options);
  const there = [...files.keys()].filter((path) => existsSync(path));
  if (there.length > 0)
    throw new UserError(
      there.map((place) => ({
        place,
        found: 'is there already',
        remedy: 'Move it away, or name another folder: servemark init FOLDER.',
      })),
    );
  for (const [path, content] of files) {
    writeFileAtomic(path, content, 'this file');
    process.stdout.write(`wrote ${path}\n`);
  }
  process.stdout.write(`Run it: servemark run ${[...files.keys()][0]}\n`);
  if (options.strategy)
    process.stdout.write(
      `Move ${options.strategy}.ts to servers/strategies/ and add its line to servers/strategies/registry.ts.\n`,
    );
  return EXIT.done;
}

/** Path → content; all is known to be right before anything is written. */
function filesOf(folder: string, { model, strategy }: { model?: string; strategy?: string }): Map<string, string> {
  const files = new Map([[join(folder, 'my-scenario.yaml'), scenarioTemplate(model)]]);
  if (strategy === undefined) return files;
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(strategy))
    throw new UserError({
      place: '--strategy',
      found: `"${strategy}" can't name a strategy`,
      allowed: 'small letters and digits, words joined by "-"',
    });
  if (strategies.some(({ name }) => name === strategy))
    throw new UserError({
      place: '--strategy',
      found: `there is a strategy "${strategy}" already, and this one would take its place`,
      allowed: 'another name',
    });
  return files.set(join(folder, `${strategy}.ts`), strategyTemplate(strategy));
}
