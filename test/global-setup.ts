import { spawnSync } from 'node:child_process';

/** Worker threads and child processes run compiled code: compile once before any test. */
export default function setup(): void {
  if (process.env.SERVEMARK_SKIP_BUILD === '1') return;
  const built = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], {
    stdio: 'inherit',
  });
  if (built.status !== 0) throw new Error('the sources do not compile');
}
