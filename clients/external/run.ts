import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { UserError } from '../../results/errors.js';
import { requireLoopback } from '../transports/loopback.js';
import type { ExternalLoad, ToolOutput } from './contract.js';
import type { FoundTool } from './find.js';

/** What a second opinion may cost a machine. */
const MAX_REQUESTS = 2_000_000;
const MAX_DURATION_NS = 600e9;
/** Start-up, and the reading of its own output, beyond load and last answers. */
const OVERHEAD_MS = 60_000;

/**
 * Drives the endpoint with the tool and reads its figures. `keep` is a folder for everything it wrote; by default a
 * temporary one. Throws UserError where the load is out of bounds or not for this machine, Error, with the last lines it wrote, where the tool fails.
 */
export async function runTool(
  found: FoundTool,
  load: ExternalLoad,
  signal: AbortSignal,
  keep?: string,
): Promise<ToolOutput> {
  bounded(load, found.tool.name);
  const folder = keep ?? (await mkdtemp(join(tmpdir(), `servemark-${found.tool.name}-`)));
  const path = (file: string) => join(folder, file);
  try {
    await mkdir(folder, { recursive: true });
    const { files, steps } = found.tool.plan(load, path);
    for (const [name, content] of Object.entries(files)) await writeFile(path(name), content);
    const limitMs = (load.durationNs + load.worstLatencyNs + load.timeoutNs) / 1e6 + OVERHEAD_MS;
    const bounds = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(limitMs))]);
    for (const step of steps) await execute(found, step, path, bounds);
    return await found.tool.read(path, load).catch((error: unknown) => {
      throw new Error(`${found.tool.name}: its output can't be read: ${String(error)}`, { cause: error });
    });
  } finally {
    if (keep === undefined) await rm(folder, { recursive: true, force: true });
  }
}

function bounded(load: ExternalLoad, name: string): void {
  requireLoopback(load.url, name);
  const requests = (load.ratePerSecond * load.durationNs) / 1e9;
  if (load.durationNs <= MAX_DURATION_NS && requests <= MAX_REQUESTS && load.ratePerSecond > 0) return;
  throw new UserError({
    place: name,
    found: `${Math.round(requests).toLocaleString('en-US')} requests in ${Math.round(load.durationNs / 1e9)} s`,
    allowed: `at most ${MAX_REQUESTS.toLocaleString('en-US')} requests in ${MAX_DURATION_NS / 1e9} s, and a rate above 0`,
  });
}

/** No shell; standard output goes to a file, the last of standard error into the message of a failure. */
async function execute(
  { tool, command: [program, ...before] }: FoundTool,
  args: readonly string[],
  path: (file: string) => string,
  signal: AbortSignal,
): Promise<void> {
  const child = spawn(program, [...before, ...args], { stdio: ['ignore', 'pipe', 'pipe'], cwd: path('.') });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-2000);
  });
  const file = createWriteStream(path('stdout'));
  child.stdout.pipe(file);
  const abort = () => child.kill('SIGKILL');
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    await finished(file);
    signal.throwIfAborted();
    if (code !== 0)
      throw new Error(`${tool.name} ended with code ${code}: ${said.trim().split('\n').slice(-3).join(' / ')}`);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
