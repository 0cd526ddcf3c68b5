import { vi } from 'vitest';
import { main } from '../../scenarios/cli.js';
import type { Finished } from './cli.js';

/** `servemark ARGS` within this process: for what ends before anything starts, at none of a new process's cost. */
export async function within(args: readonly string[]): Promise<Finished> {
  const stdout = capture('stdout');
  const stderr = capture('stderr');
  const before = process.exitCode;
  try {
    process.exitCode = undefined;
    await main(['node', 'servemark', ...args]);
    return { code: Number(process.exitCode ?? 0), stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    process.exitCode = before;
    stdout.restore();
    stderr.restore();
  }
}

function capture(name: 'stdout' | 'stderr'): { text(): string; restore(): void } {
  let text = '';
  const spy = vi.spyOn(process[name], 'write').mockImplementation((chunk) => {
    text += chunk.toString();
    return true;
  });
  return { text: () => text, restore: () => spy.mockRestore() };
}
