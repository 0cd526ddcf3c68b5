import { Command, CommanderError } from 'commander';
import pc from 'picocolors';
import { formatProblem, messageOf, UserError } from '../results/errors.js';
import { version } from '../results/package.js';
import { EXIT } from './contract.js';
import { commands } from './registry.js';

/** The command line. Exit codes: EXIT in contract.ts. */
export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('servemark')
    .description('Compare ways of serving a model, and know how sure you are.')
    .version(version)
    .showHelpAfterError('(`servemark --help` lists the commands)')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 nothing was measured, or (--strict) invalid or a target missed, 2 usage or scenario error, 130 interrupted.',
    )
    .exitOverride();
  for (const definition of commands) {
    const command = program.command(definition.name).description(definition.summary).exitOverride();
    definition.configure(command, finish);
  }
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    if (!(error instanceof CommanderError)) return report(error);
    // Commander has already said what is wrong; help and version end with 0.
    process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
  }
}

/** Ends a command with its exit code. Output may still be on its way to a pipe: the process ends by itself. */
async function finish(work: Promise<number>): Promise<void> {
  try {
    process.exitCode = await work;
  } catch (error) {
    report(error);
  }
}

function report(error: unknown): void {
  if (error instanceof UserError) {
    for (const problem of error.problems) process.stderr.write(`${pc.red('error')} ${formatProblem(problem)}\n`);
    if (error.problems.length > 1) process.stderr.write(`${error.problems.length} problems\n`);
    process.exitCode = EXIT.usage;
    return;
  }
  process.stderr.write(
    `${pc.red('error')} ${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}\n`,
  );
  process.stderr.write('This is a fault of servemark itself, not of your input.\n');
  process.exitCode = EXIT.usage;
}

/** A reader that went away (`servemark list | head`) is no error. */
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
