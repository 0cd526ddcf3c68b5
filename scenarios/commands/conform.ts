import type { CommandDefinition } from '../contract.js';
import { EXIT } from '../contract.js';

export const conformCommand: CommandDefinition = {
  name: 'conform',
  summary: 'hold strategies to conformance-vector files',
  configure(command, finish) {
    command.argument('<files...>', 'vector files').action((files: string[]) => finish(conform(files)));
  },
};

async function conform(files: readonly string[]): Promise<number> {
  const { conformFile } = await import('../../servers/conform.js');
  let passed = 0;
  let failed = 0;
  for (const file of files) {
    for (const result of await conformFile(file)) {
      if (result.state === 'passed') {
        passed++;
        continue;
      }
      failed++;
      const why = result.state === 'not-implemented' ? 'not implemented' : result.difference;
      process.stdout.write(`${file} · ${result.strategy} · ${result.name}: ${why}\n`);
    }
  }
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return failed === 0 ? EXIT.done : EXIT.invalid;
}
