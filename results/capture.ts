import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, freemem, loadavg, release, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Environment } from './environment.js';
import { packageRoot, version } from './package.js';

const ENVIRONMENT_SCHEMA = 1;

export interface CaptureOptions {
  /** Execution providers that the runtime offers; this folder does not load it. */
  readonly providers?: readonly string[] | undefined;
  /** Where `/proc` and `/sys` hang; another folder in tests. */
  readonly systemRoot?: string | undefined;
}

/** What the numbers are measured on, read anew at each call. What this machine does not tell is null. */
export function captureEnvironment({ providers = [], systemRoot = '/' }: CaptureOptions = {}): Environment {
  const system = new SystemFiles(systemRoot);
  return {
    schema: ENVIRONMENT_SCHEMA,
    capturedAt: new Date().toISOString(),
    host: { platform: process.platform, kernel: release(), architecture: process.arch },
    cpu: cpuOf(system),
    memory: { totalBytes: totalmem(), availableBytes: availableBytes(system) },
    cgroup: cgroupOf(system),
    load: { average1m: averageLoad(), stealPercentSinceBoot: stealPercent(system) },
    node: { version: process.version, v8: process.versions.v8, uv: process.versions.uv },
    onnxruntime: { version: onnxruntimeVersion(), providers },
    servemark: { version, ...commitOf(fileURLToPath(packageRoot)) },
    gpu: gpuOf(system),
  };
}

/** Files of `/proc` and `/sys` as text; undefined where there are none. */
class SystemFiles {
  constructor(private readonly root: string) {}

  text(path: string): string | undefined {
    try {
      return readFileSync(join(this.root, path), 'utf8').trim();
    } catch {
      return undefined;
    }
  }

  names(path: string): readonly string[] {
    try {
      return readdirSync(join(this.root, path));
    } catch {
      return [];
    }
  }
}

function cpuOf(system: SystemFiles): Environment['cpu'] {
  const cores = cpus();
  const info = system.text('proc/cpuinfo') ?? '';
  const field = (name: RegExp) => info.match(new RegExp(`^(?:${name.source})\\s*:\\s*(.+)$`, 'm'))?.[1];
  const mhz = Number(field(/cpu MHz/) ?? cores[0]?.speed ?? 0);
  return {
    model: (field(/model name/) ?? cores[0]?.model ?? 'unknown').trim(),
    logicalCores: cores.length,
    flags: (field(/flags|Features/) ?? '').split(' ').filter(Boolean),
    governor: system.text('sys/devices/system/cpu/cpu0/cpufreq/scaling_governor') ?? null,
    affinity: system.text('proc/self/status')?.match(/^Cpus_allowed_list:\s*(\S+)/m)?.[1] ?? null,
    mhz: mhz > 0 ? mhz : null,
  };
}

function availableBytes(system: SystemFiles): number | null {
  const kib = system.text('proc/meminfo')?.match(/^MemAvailable:\s*(\d+) kB/m)?.[1];
  if (kib !== undefined) return Number(kib) * 1024;
  return process.platform === 'linux' ? null : freemem();
}

/** Windows has no load average and says 0. */
function averageLoad(): number | null {
  return process.platform === 'win32' ? null : (loadavg()[0] ?? null);
}

/** Time that a hypervisor gave to others: field 8 of the `cpu` line, as a share of the first eight. */
function stealPercent(system: SystemFiles): number | null {
  const line = system.text('proc/stat')?.match(/^cpu\s+(.*)$/m)?.[1];
  const times = line?.split(' ').slice(0, 8).map(Number);
  const total = times?.reduce((sum, time) => sum + time, 0);
  return times?.[7] !== undefined && total ? (100 * times[7]) / total : null;
}

/** The tightest limit on the way from this process's group to the root. Version 2, else version 1. */
function cgroupOf(system: SystemFiles): Environment['cgroup'] {
  const groups = system.text('proc/self/cgroup') ?? '';
  const unified = ancestors(groups.match(/^0::(.*)$/m)?.[1]);
  const quotas = unified.map((path) => quotaCores(system.text(`sys/fs/cgroup${path}/cpu.max`)));
  const limits = unified.map((path) => byteLimit(system.text(`sys/fs/cgroup${path}/memory.max`)));
  return {
    cpuQuotaCores: least(quotas) ?? legacyQuota(system),
    memoryLimitBytes: least(limits) ?? byteLimit(system.text('sys/fs/cgroup/memory/memory.limit_in_bytes')),
  };
}

/** `/a/b` → `/a/b`, `/a`, and the root as the empty text. */
function ancestors(path: string | undefined): string[] {
  const parts = (path ?? '').split('/').filter(Boolean);
  return [...parts.map((_, i) => `/${parts.slice(0, parts.length - i).join('/')}`), ''];
}

/** `50000 100000` is half a core; `max 100000` is no limit. */
function quotaCores(text: string | undefined): number | null {
  const [quota, period] = (text ?? '').split(' ').map(Number);
  return quota !== undefined && quota > 0 && period ? quota / period : null;
}

function legacyQuota(system: SystemFiles): number | null {
  const folder = 'sys/fs/cgroup/cpu';
  return quotaCores(`${system.text(`${folder}/cpu.cfs_quota_us`)} ${system.text(`${folder}/cpu.cfs_period_us`)}`);
}

/** Version 1 writes "no limit" as a number near 2^63. */
function byteLimit(text: string | undefined): number | null {
  const bytes = Number(text ?? Number.NaN);
  return bytes > 0 && bytes < 2 ** 60 ? bytes : null;
}

function least(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.min(...known);
}

function onnxruntimeVersion(): string | null {
  const name = 'onnxruntime-node';
  // Its package.json is found by hand: the package need not export it, and must not be loaded here.
  for (const folder of createRequire(import.meta.url).resolve.paths(name) ?? []) {
    const path = join(folder, name, 'package.json');
    if (existsSync(path)) return (JSON.parse(readFileSync(path, 'utf8')) as { version?: string }).version ?? null;
  }
  return null;
}

/** Of the repository whose root is the package; an installed package inside another's repository has none of its own. */
function commitOf(root: string): { readonly commit: string | null; readonly dirty: boolean | null } {
  const [top, commit] = git(root, ['rev-parse', '--show-toplevel', 'HEAD'])?.split('\n') ?? [];
  if (!top || !commit || realpathSync(top) !== realpathSync(resolve(root))) return { commit: null, dirty: null };
  const changes = git(root, ['status', '--porcelain', '--untracked-files=no']);
  return { commit, dirty: changes === undefined ? null : changes !== '' };
}

function git(folder: string, words: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync('git', words, {
    cwd: folder,
    encoding: 'utf8',
    timeout: 5000,
    windowsHide: true,
  });
  return status === 0 ? stdout.trim() : undefined;
}

function gpuOf(system: SystemFiles): Environment['gpu'] {
  const folder = 'proc/driver/nvidia/gpus';
  const names = system
    .names(folder)
    .map((id) => system.text(`${folder}/${id}/information`)?.match(/^Model:\s*(.+)$/m)?.[1] ?? id);
  if (names.length > 0) return { state: 'present', names };
  return { state: 'absent', reason: 'no NVIDIA driver is loaded (/proc/driver/nvidia)' };
}
