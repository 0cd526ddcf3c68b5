import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type ExternalTool, externalTools, findTool } from '../clients/external/index.js';
import { captureEnvironment } from '../results/capture.js';
import { messageOf } from '../results/errors.js';
import { openNvml, startMonitors } from '../results/monitors/index.js';
import { scheduleAtOnce } from '../results/scheduling.js';
import { formatRate, formatSize } from '../results/units.js';
import { which } from '../results/which.js';
import { hasNvidiaDriver, providerLibrary } from '../servers/runtimes/index.js';
import { calibrationOf } from './roofline.js';

/** One thing that this machine can or cannot do. */
export interface Check {
  readonly name: string;
  readonly state: 'ok' | 'missing' | 'warning';
  readonly found: string;
  /** What is lost without it, and how to get it. */
  readonly remedy?: string | undefined;
}

const run = promisify(execFile);

export async function examine(): Promise<Check[]> {
  return [
    node(),
    cores(),
    memory(),
    governor(),
    await scheduling(),
    await onnxRuntime(),
    gpu(),
    await nvml(),
    await readable(),
    generator(),
    ...TOOLS.map(tool),
    ...externalTools.map(secondOpinion),
  ];
}

function node(): Check {
  const [major, minor] = process.versions.node.split('.').map(Number) as [number, number];
  const fits = major > 20 || (major === 20 && minor >= 19);
  return {
    name: 'Node.js',
    state: fits ? 'ok' : 'missing',
    found: process.version,
    remedy: fits ? undefined : 'servemark needs 20.19 or later',
  };
}

function cores(): Check {
  const count = availableParallelism();
  return count >= 4
    ? { name: 'processors', state: 'ok', found: `${count}` }
    : {
        name: 'processors',
        state: 'warning',
        found: `${count}`,
        remedy:
          'client, server and instances share them: figures hold for this sharing, not for a client on its own machine',
      };
}

function memory(): Check {
  return { name: 'memory', state: totalmem() > 2 ** 31 ? 'ok' : 'warning', found: formatSize(totalmem()) };
}

function governor(): Check {
  const path = '/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor';
  const found = existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined;
  if (found === undefined)
    return { name: 'frequency governor', state: 'ok', found: 'not visible (a virtual machine, or not Linux)' };
  return found === 'performance'
    ? { name: 'frequency governor', state: 'ok', found }
    : {
        name: 'frequency governor',
        state: 'warning',
        found,
        remedy: 'clocks may move between trials; `cpupower frequency-set -g performance` holds them',
      };
}

/** What the kernel grants load processes; tried on this thread and taken back. */
async function scheduling(): Promise<Check> {
  const name = 'scheduling of load processes';
  const { scheduling, reason, restore } = await scheduleAtOnce();
  restore();
  if (scheduling === 'real-time') return { name, state: 'ok', found: scheduling };
  const remedy = `${reason}: where server and load share processors, sends may wait for them: watch the lateness`;
  return { name, state: scheduling === 'ordinary' ? 'warning' : 'ok', found: scheduling, remedy };
}

/** In a process of its own: a broken native library must not end the doctor. */
async function onnxRuntime(): Promise<Check> {
  const code =
    "const o = require('onnxruntime-node'); process.stdout.write(o.listSupportedBackends().map((b) => b.name).join(', '))";
  try {
    const { stdout } = await run(process.execPath, ['--input-type=commonjs', '-e', code], {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      timeout: 20_000,
    });
    return { name: 'ONNX Runtime', state: 'ok', found: `providers: ${stdout}` };
  } catch (error) {
    const line =
      (error as { stderr?: string }).stderr?.split('\n').find((each) => each.includes('Error')) ?? String(error);
    return {
      name: 'ONNX Runtime',
      state: 'missing',
      found: line.trim(),
      remedy: 'run `npm ci` again; real models need it (synthetic and null do not)',
    };
  }
}

/** What the load processes of this host are good for, if anybody has measured it. */
function generator(): Check {
  const name = 'load generator';
  const points = calibrationOf(captureEnvironment())?.points ?? [];
  const told = points.map(
    ({ transport, requestBytes, processes, openPerSecond }) =>
      `${transport} ${formatSize(requestBytes)}${processes === 1 ? '' : ` × ${processes}`} ${formatRate(openPerSecond)}`,
  );
  if (told.length > 0) return { name, state: 'ok', found: told.join(', ') };
  const remedy = '`servemark calibrate` measures it, a minute or two: loads beyond it are refused from then on';
  return { name, state: 'ok', found: 'not calibrated', remedy };
}

/** Device and provider are two things: ONNX Runtime's package brings the second for no NVIDIA device. */
function gpu(): Check {
  const name = 'NVIDIA GPU';
  if (!hasNvidiaDriver())
    return { name, state: 'missing', found: 'no driver', remedy: 'GPU scenarios are skipped: no GPU' };
  const library = providerLibrary('cuda');
  if (library !== undefined && existsSync(library))
    return { name, state: 'ok', found: 'driver and ONNX Runtime’s CUDA provider are present' };
  const { onnxruntime } = captureEnvironment();
  return {
    name,
    state: 'warning',
    found: 'driver present, ONNX Runtime’s CUDA provider absent',
    remedy: `for executionProviders: [cuda] copy libonnxruntime_providers_shared.so and libonnxruntime_providers_cuda.so of ONNX Runtime ${onnxruntime.version ?? '(same version)'} (from the Python wheel onnxruntime-gpu) to ${library ? dirname(library) : 'onnxruntime-node’s binding'}, and put CUDA and cuDNN on LD_LIBRARY_PATH`,
  };
}

/** The library that tells a device's figures, and whether it tells energy. */
async function nvml(): Promise<Check> {
  try {
    const { driver, devices, close } = await openNvml();
    const energy = devices.some(({ groups }) =>
      groups.some((group) => group.fields.some(({ metric }) => metric === 'energy') && Array.isArray(group.read())),
    );
    close();
    const names = devices.map(({ subject, name }) => `${subject} ${name}`).join(', ');
    const found = `driver ${driver}: ${names}; ${energy ? 'with' : 'without'} an energy counter`;
    return { name: 'NVML', state: 'ok', found, remedy: energy ? undefined : 'joules per request are not told' };
  } catch (error) {
    const remedy = 'GPU figures and energy are not read; nvidia-smi stands in where it is on PATH';
    return { name: 'NVML', state: 'missing', found: messageOf(error), remedy };
  }
}

/** What is read by default while a trial runs, and what not. */
async function readable(): Promise<Check> {
  const set = await startMonitors();
  const { reports } = await set.stop();
  const ran = reports.filter(({ state }) => state === 'ran').map(({ name }) => name);
  const not = reports.filter(({ state }) => state !== 'ran').map(({ name, reason }) => `${name}: ${reason}`);
  const state = ran.includes('proc') ? 'ok' : 'warning';
  const remedy = not.length > 0 ? `not here: ${not.join('; ')}` : undefined;
  return { name: 'monitors', state, found: ran.join(', ') || 'none', remedy };
}

interface Tool {
  readonly name: string;
  readonly programs: readonly string[];
  readonly use: string;
  readonly get: string;
}

const TOOLS: readonly Tool[] = [
  {
    name: 'perf_analyzer',
    programs: ['perf_analyzer'],
    use: 'interoperability test',
    get: 'pip install tritonclient[all]==2.39.0 (the wheel carries the binary)',
  },
  {
    name: 'python3',
    programs: ['python3'],
    use: 'tritonclient interoperability test',
    get: 'your system’s package, then pip install tritonclient[all] onnxruntime',
  },
  {
    name: 'chromium',
    programs: ['chromium', 'chromium-browser', 'google-chrome'],
    use: 'looking at reports in the tests',
    get: 'your system’s package',
  },
  { name: 'git', programs: ['git'], use: 'the commit in the environment', get: 'your system’s package' },
];

function tool({ name, programs, use, get }: Tool): Check {
  const found = programs.map((program) => which(program)).find((path) => path !== undefined);
  return found
    ? { name, state: 'ok', found }
    : { name, state: 'missing', found: 'not on PATH', remedy: `${use} is skipped; get it: ${get}` };
}

/** Other load generators, for `servemark crosscheck` and the interoperability tests. */
function secondOpinion(tool: ExternalTool): Check {
  const found = findTool(tool);
  const { name, get } = tool;
  if (!found)
    return {
      name,
      state: 'missing',
      found: 'not found',
      remedy: `second opinion (servemark crosscheck) is skipped; get it: ${get}`,
    };
  return { name, state: 'ok', found: `${tool.module ?? found.command[0]}${found.version ? ` ${found.version}` : ''}` };
}
