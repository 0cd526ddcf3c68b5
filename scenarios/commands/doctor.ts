import pc from 'picocolors';
import type { CommandDefinition } from '../contract.js';
import { EXIT } from '../contract.js';
import { examine } from '../doctor.js';

export const doctorCommand: CommandDefinition = {
  name: 'doctor',
  summary: 'say what this machine can and cannot do, and how to get what is missing',
  configure(command, finish) {
    command.option('--json', 'as JSON').action((options: { json?: boolean }) => finish(doctor(options.json ?? false)));
  },
};

async function doctor(json: boolean): Promise<number> {
  const checks = await examine();
  if (json) process.stdout.write(`${JSON.stringify(checks, null, 2)}\n`);
  else {
    const width = Math.max(...checks.map((check) => check.name.length));
    const mark = { ok: pc.green('ok     '), warning: pc.yellow('warning'), missing: pc.red('missing') };
    for (const check of checks)
      process.stdout.write(
        `${mark[check.state]}  ${check.name.padEnd(width)}  ${check.found}${check.remedy ? pc.dim(` — ${check.remedy}`) : ''}\n`,
      );
  }
  const needed = checks.filter(
    (check) => check.state === 'missing' && (check.name === 'Node.js' || check.name === 'ONNX Runtime'),
  );
  return needed.length === 0 ? EXIT.done : EXIT.invalid;
}
