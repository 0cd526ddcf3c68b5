import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `servemark ARGS` from the compiled tree to its end. */
export function servemark(
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Finished> {
  return finish(start(args, options));
}

/** `detached`: in a process group of its own, which can be sent a signal as a terminal sends it. */
export function start(
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; detached?: boolean } = {},
): ChildProcess {
  return spawn(process.execPath, [fileURLToPath(new URL('../../bin/servemark.js', import.meta.url)), ...args], {
    cwd: options.cwd ?? process.cwd(),
    env: { ...process.env, NO_COLOR: '1', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: options.detached ?? false,
  });
}

export function finish(child: ChildProcess): Promise<Finished> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

export interface Served {
  readonly child: ChildProcess;
  readonly restUrl: string;
  readonly grpcAddress: string;
  stop(): Promise<number | null>;
}

/** `servemark serve …` until its ready line. */
export async function serve(args: readonly string[]): Promise<Served> {
  const child = start(['serve', ...args, '--rest-port', '0', '--grpc-port', '0']);
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const exited = new Promise<number | null>((resolve) => child.on('close', resolve));
  const ready = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      if (line.startsWith('ready')) resolve(line);
    });
    void exited.then((code) => reject(new Error(`serve ended with ${code}: ${errors}`)));
  });
  return {
    child,
    restUrl: /http:\/\/\S+/.exec(ready)![0],
    grpcAddress: /grpc:\/\/(\S+)/.exec(ready)![1]!,
    async stop() {
      child.kill('SIGTERM');
      return exited;
    },
  };
}
