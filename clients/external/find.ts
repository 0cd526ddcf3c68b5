import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { which } from '../../results/which.js';
import type { ExternalTool } from './contract.js';

/** A tool that this machine has. */
export interface FoundTool {
  readonly tool: ExternalTool;
  /** Program, and arguments before the tool's own. */
  readonly command: readonly [string, ...string[]];
  readonly version: string | null;
}

/** Looks on PATH and in `.ci/tools/bin` (where `.ci/tools.sh` puts tools), or among the npm packages. */
export function findTool(tool: ExternalTool): FoundTool | undefined {
  if (tool.module !== undefined) return findModule(tool, tool.module);
  const program = which(tool.name, [resolve('.ci/tools/bin')]);
  return program === undefined ? undefined : { tool, command: [program], version: versionOf(tool, program) };
}

function findModule(tool: ExternalTool, module: string): FoundTool | undefined {
  try {
    const file = createRequire(import.meta.url).resolve(module);
    const { version } = JSON.parse(readFileSync(join(dirname(file), 'package.json'), 'utf8')) as { version?: string };
    return { tool, command: [process.execPath], version: version ?? null };
  } catch {
    return undefined;
  }
}

/** Its own word, else what the Go tool chain reads from the executable, else null. */
function versionOf(tool: ExternalTool, program: string): string | null {
  if (tool.versionArgs) return numberIn(output(program, tool.versionArgs));
  const module = /^\s*mod\s+\S+\s+(\S+)/m.exec(output('go', ['version', '-m', program]))?.[1];
  return module === undefined ? null : numberIn(module);
}

function output(program: string, args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 20_000, windowsHide: true });
  return `${stdout ?? ''}${stderr ?? ''}`;
}

function numberIn(text: string): string | null {
  return /\d+\.\d+(?:\.\d+)?(?:-[\w.]+)?/.exec(text)?.[0] ?? null;
}
