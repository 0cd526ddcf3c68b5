import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { which } from '../../results/which.js';
import { frameGrpcRequest } from '../../servers/protocol/grpc-codec.js';
import { encodeJsonRequest, inferPath } from '../../servers/protocol/json-request.js';
import type { InferRequest } from '../../servers/protocol/types.js';
import type { Contestant } from './contestants.js';

const run = promisify(execFile);
const SECONDS = 1;

/** wrk with the same bytes as our rest-binary; undefined, with a word about it, where it is not on PATH. */
export function wrkProgram(url: string, request: InferRequest, concurrency: number): Contestant | undefined {
  const program = found('wrk');
  if (!program) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'servemark-bench-'));
  const message = encodeJsonRequest(request, true);
  const body = join(folder, 'body');
  const script = join(folder, 'script.lua');
  writeFileSync(body, Buffer.concat(message.parts));
  writeFileSync(
    script,
    `wrk.method = "POST"
local file = assert(io.open(${JSON.stringify(body)}, "rb"))
wrk.body = file:read("*a")
wrk.headers["Content-Type"] = "application/octet-stream"
wrk.headers["Inference-Header-Content-Length"] = "${message.headerLength}"
`,
  );
  const args = ['-t1', `-c${concurrency}`, `-d${SECONDS}s`, '-s', script, `${url}${inferPath(request.modelName)}`];
  return contestantOf('wrk (as rest-binary)', folder, program, args, (text) => {
    if (/Non-2xx|Socket errors/.test(text)) throw new Error(`wrk: ${text}`);
    return Number(/(\d+) requests in/.exec(text)?.[1]);
  });
}

/** h2load with the same bytes as our gRPC. */
export function h2loadProgram(url: string, request: InferRequest, concurrency: number): Contestant | undefined {
  const program = found('h2load');
  if (!program) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'servemark-bench-'));
  const body = join(folder, 'body');
  writeFileSync(body, Buffer.concat(frameGrpcRequest(request)));
  const args = ['-t1', '-c1', `-m${concurrency}`, `-D${SECONDS}`, '-d', body];
  args.push('-H', 'content-type: application/grpc', '-H', 'te: trailers');
  args.push(`${url}/inference.GRPCInferenceService/ModelInfer`);
  return contestantOf('h2load (as grpc)', folder, program, args, (text) => {
    const [, done, failed, errored] =
      /requests: .*?(\d+) done, \d+ succeeded, (\d+) failed, (\d+) errored/.exec(text) ?? [];
    if (Number(failed) + Number(errored) > 0) throw new Error(`h2load: ${text}`);
    return Number(done);
  });
}

function found(name: string): string | undefined {
  const program = which(name);
  if (!program) process.stdout.write(`  skipped: ${name} is not on PATH\n`);
  return program;
}

/** A program that runs for a second a turn. Its CPU time is what the shell counts of its children. */
function contestantOf(
  name: string,
  folder: string,
  program: string,
  args: readonly string[],
  requestsIn: (stdout: string) => number,
): Contestant {
  const turn = async (): Promise<number> => {
    const { stdout } = await run('/bin/sh', ['-c', '"$@"; times', 'sh', program, ...args], { maxBuffer: 2 ** 24 });
    const [, minutes, seconds, more, rest] = /(\d+)m([\d.]+)s (\d+)m([\d.]+)s\s*$/.exec(stdout) ?? [];
    const cpuSeconds = Number(minutes) * 60 + Number(seconds) + Number(more) * 60 + Number(rest);
    return (cpuSeconds * 1e6) / requestsIn(stdout);
  };
  return {
    name,
    prepare: async () => {
      await turn();
    },
    turn,
    close: async () => rmSync(folder, { recursive: true }),
  };
}
