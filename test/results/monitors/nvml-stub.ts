import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The C stand-in for NVML, compiled; or why it can't be. */
export function buildStub(): { readonly path: string } | { readonly skipped: string } {
  if (process.platform !== 'linux') return { skipped: `the stub is for Linux, not ${process.platform}` };
  const path = join(mkdtempSync(join(tmpdir(), 'nvml-')), 'libnvidia-ml-stub.so');
  const source = 'test/fixtures/monitors/nvml_stub.c';
  const { status, error, stderr } = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', path, source], {
    encoding: 'utf8',
  });
  if (error) return { skipped: 'there is no C compiler (cc) on PATH' };
  if (status !== 0) throw new Error(stderr);
  return { path };
}
