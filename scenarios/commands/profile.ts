import { UserError } from '../../results/errors.js';
import { writeJsonAtomic } from '../../results/files.js';
import { formatDuration, formatRate } from '../../results/units.js';
import { resolveModel } from '../../servers/models/index.js';
import { DEFAULT_PROFILE_SIZES, profileModel } from '../../servers/profile.js';
import type { CommandDefinition } from '../contract.js';
import { EXIT } from '../contract.js';
import { wholeNumber } from '../option-values.js';
import { table } from '../print.js';
import type { Profile } from '../profiles.js';
import { interruptible } from '../progress.js';
import { parseSettings } from '../settings.js';
import { modelArgument } from './serve.js';

interface ProfileOptions {
  readonly sizes?: string;
  readonly rounds: string;
  readonly isolation: string;
  readonly modelSet: readonly string[];
  readonly out?: string;
  readonly json?: boolean;
}

export const profileCommand: CommandDefinition = {
  name: 'profile',
  summary: 'measure a model’s cost table: how long an execution of so many rows takes',
  configure(command, finish) {
    command
      .argument('<model>', 'zoo name, runtime name or path of an ONNX file')
      .option('--sizes <list>', 'rows, like 1,2,4,8')
      .option('--rounds <n>', 'executions of each size that count', '50')
      .option('--isolation <kind>', 'thread or process', 'thread')
      .option('--model-set <key=value...>', 'options of the model’s runtime', [])
      .option('--out <file>', 'write the table here, for --profile')
      .option('--json', 'print the table as JSON')
      .action((model: string, options: ProfileOptions) => finish(profile(model, options)));
  },
};

async function profile(model: string, options: ProfileOptions): Promise<number> {
  if (options.isolation !== 'thread' && options.isolation !== 'process')
    throw new UserError({
      place: '--isolation',
      found: `"${options.isolation}" is unknown`,
      allowed: 'thread, process',
    });
  const spec = modelArgument(model, undefined, parseSettings(options.modelSet));
  const sizes =
    options.sizes?.split(',').map((text) => wholeNumber('--sizes', text.trim(), 1, 100_000)) ?? DEFAULT_PROFILE_SIZES;
  const resolved = await resolveModel(spec);
  const cost = await profileModel(
    { model: spec, isolation: options.isolation, sizes, rounds: wholeNumber('--rounds', options.rounds, 1, 100_000) },
    interruptible().signal,
  );
  const result: Profile = {
    schema: 1,
    model: resolved.name,
    sha256: resolved.sha256 ?? null,
    measuredAt: new Date().toISOString(),
    cost,
  };
  if (options.out) writeJsonAtomic(options.out, result, 'the cost table');
  if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else
    process.stdout.write(
      table(
        ['rows', 'execution', 'per row', 'rows per second'],
        cost.map(([rows, ns]) => [
          String(rows),
          formatDuration(ns),
          formatDuration(ns / rows),
          formatRate((rows * 1e9) / ns),
        ]),
      ),
    );
  return EXIT.done;
}
