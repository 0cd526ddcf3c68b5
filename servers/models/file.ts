import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { basename, extname, isAbsolute, relative, resolve } from 'node:path';
import { UserError } from '../../results/errors.js';
import { PLAN_ENDING, partsOf, readPlan, type SplitPlan, shardsOf } from '../runtimes/index.js';
import type { ModelSource } from './contract.js';

/** File ending → the runtime that loads it. */
const RUNTIMES: Readonly<Record<string, string>> = { '.onnx': 'onnx', '.json': 'tfjs' };

/** Kind of a split model's plan → the runtime that executes it. */
const PLAN_RUNTIMES: Readonly<Record<SplitPlan['kind'], string>> = {
  pipeline: 'pipeline-parallel',
  tensor: 'tensor-parallel',
  buckets: 'buckets',
};

/** A model file of the user's. Throws UserError where it is missing, of no known kind, empty, or outside of `root`. */
export function fileModel(
  path: string,
  name?: string,
  root?: string,
  options: Readonly<Record<string, unknown>> = {},
  runtime?: string,
): ModelSource {
  return {
    resolve: async (signal) => {
      const absolute = await existing(path, root);
      return {
        name: name ?? basename(path, isPlan(path) ? PLAN_ENDING : extname(path)),
        version: '1',
        runtime: runtime ?? runtimeOf(absolute),
        runtimeOptions: options,
        path: absolute,
        sha256: await sha256OfModel(absolute, signal),
        provenance: `file ${path}`,
      };
    },
  };
}

/** Hex SHA-256 of a file, streamed. */
export async function sha256Of(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { signal, highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Of a plan with all its parts, of a model.json with its weights: the same text over other weights is another model. */
async function sha256OfModel(path: string, signal?: AbortSignal): Promise<string> {
  const more = isPlan(path) ? await partFiles(path) : extname(path) === '.json' ? shardsOf(path) : [];
  const own = await sha256Of(path, signal);
  if (more.length === 0) return own;
  const hash = createHash('sha256').update(own);
  for (const file of more) hash.update(await sha256Of(file, signal));
  return hash.digest('hex');
}

async function partFiles(path: string): Promise<string[]> {
  const plan = readPlan(path);
  return Promise.all(partsOf(plan).map((part) => existing(plan.pathOf(part), undefined)));
}

/** The file's real place, links followed, so that no link leads out of the root. */
async function existing(path: string, root: string | undefined): Promise<string> {
  const absolute = await realpath(resolve(path)).catch(() => undefined);
  const found = absolute === undefined ? undefined : await stat(absolute);
  if (absolute === undefined || found === undefined)
    throw new UserError({ place: path, found: 'there is no such file', remedy: 'Give the path of an .onnx file' });
  if (!found.isFile() || found.size === 0)
    throw new UserError({
      place: path,
      found: found.isFile() ? 'the file is empty' : 'it is no file',
      allowed: 'an .onnx file',
    });
  if (root !== undefined) refuseOutside(path, absolute, await realpath(root));
  return absolute;
}

function refuseOutside(path: string, absolute: string, root: string): void {
  const inside = relative(root, absolute);
  if (!inside.startsWith('..') && !isAbsolute(inside)) return;
  throw new UserError({ place: path, found: 'it lies outside of the model root', allowed: `files under ${root}` });
}

/** The runtime that loads the file. Throws UserError where none does, or a plan can't be read. */
export function runtimeOf(path: string): string {
  if (isPlan(path)) return PLAN_RUNTIMES[readPlan(path).kind];
  const runtime = RUNTIMES[extname(path).toLowerCase()];
  if (runtime !== undefined) return runtime;
  throw new UserError({
    place: path,
    found: `no runtime loads files that end in "${extname(path)}"`,
    allowed: [...Object.keys(RUNTIMES), PLAN_ENDING].join(', '),
    remedy: 'Export the model as ONNX',
  });
}

function isPlan(path: string): boolean {
  return path.toLowerCase().endsWith(PLAN_ENDING);
}
