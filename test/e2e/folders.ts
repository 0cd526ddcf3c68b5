import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** A folder of one test file, removed at its end. The blank in its name is on purpose. */
export function workFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `servemark ${name} `));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes `<folder>/<name>.yaml`; answers its path. */
export function scenarioFile(folder: string, name: string, text: string): string {
  const path = join(folder, `${name}.yaml`);
  writeFileSync(path, text);
  return path;
}

/** The only run folder under a root; undefined while there is none. */
export function onlyRun(root: string): string | undefined {
  const [first, ...others] = existsSync(root) ? readdirSync(root) : [];
  if (others.length > 0) throw new Error(`${root} holds more than one run: ${[first, ...others].join(', ')}`);
  return first === undefined ? undefined : join(root, first);
}

/** Trial id → the names of its files, sorted. */
export function trialFiles(run: string): Record<string, string[]> {
  const folder = join(run, 'trials');
  if (!existsSync(folder)) return {};
  return Object.fromEntries(readdirSync(folder).map((id) => [id, readdirSync(join(folder, id)).sort()]));
}

/** Ids of trials that have a summary. */
export function summarised(run: string): string[] {
  return Object.entries(trialFiles(run)).flatMap(([id, files]) => (files.includes('summary.json') ? [id] : []));
}

/** `trials/<id>/<file>` → sha256, of these trials. */
export function digests(run: string, ids: readonly string[]): Record<string, string> {
  const files = trialFiles(run);
  return Object.fromEntries(
    ids.flatMap((id) =>
      files[id]!.map((file) => {
        const path = join('trials', id, file);
        return [
          path,
          createHash('sha256')
            .update(readFileSync(join(run, path)))
            .digest('hex'),
        ];
      }),
    ),
  );
}

export function readJson(...path: string[]): Record<string, unknown> {
  return JSON.parse(readFileSync(join(...path), 'utf8')) as Record<string, unknown>;
}
