import type { Environment } from '../environment.js';
import type { StoredRun } from '../run.js';
import { formatSize } from '../units.js';
import type { ViewDefinition } from './contract.js';

/** What the numbers were measured on. */
export const environment: ViewDefinition = {
  name: 'environment',
  summary: 'Machine, kernel, runtime and limits',
  render({ run }) {
    const rows = [
      ...machine(run.environment),
      ...software(run.environment),
      ...generator(run.outcomes),
      ...scheduling(run.outcomes),
    ].map(([name, value]) => [name, value ?? { text: 'not known', mark: 'dim' as const }]);
    const columns = [
      { title: 'property', align: 'left' },
      { title: 'value', align: 'left' },
    ] as const;
    return [
      { kind: 'heading', text: 'Environment' },
      { kind: 'table', caption: 'What it was measured on', columns, rows },
    ];
  },
};

/** The calibrated limit of the load processes, or that there is none. Runs of before there was one say nothing. */
function generator(outcomes: StoredRun['outcomes']): Row[] {
  const known = outcomes.flatMap((outcome) => (outcome.state === 'completed' ? (outcome.summary.roofline ?? []) : []));
  const used = known.flatMap((one) => (one.perSecond === null ? [] : [(one.usedPerSecond ?? 0) / one.perSecond]));
  const reasons = new Set(known.flatMap((one) => (one.perSecond === null ? [one.reason] : [])));
  const told = [
    ...(used.length > 0 ? [`loads up to ${Math.round(100 * Math.max(...used))} % of its calibrated limit`] : []),
    ...[...reasons].map((reason) => (reason === 'not calibrated' ? `${reason} (servemark calibrate)` : reason)),
  ];
  return told.length > 0 ? [['load generator', told.join('; ')]] : [];
}

/** How the load's threads ran: real-time ones are later by less where server and load share processors. */
function scheduling(outcomes: StoredRun['outcomes']): Row[] {
  const told = outcomes.flatMap((outcome) =>
    outcome.state === 'completed' ? (outcome.summary.loadScheduling ?? []) : [],
  );
  return told.length > 0 ? [['load threads', [...new Set(told)].sort().join(', ')]] : [];
}

type Row = readonly [name: string, value: string | null];

function machine({ host, cpu, memory, cgroup, load, gpu }: Environment): Row[] {
  const quota = cgroup.cpuQuotaCores === null ? '' : `, limited to ${cgroup.cpuQuotaCores}`;
  const mhz = cpu.mhz === null ? '' : `, ${Math.round(cpu.mhz)} MHz`;
  const available = memory.availableBytes === null ? '' : `, ${formatSize(memory.availableBytes)} available`;
  const limit = cgroup.memoryLimitBytes === null ? '' : `, limited to ${formatSize(cgroup.memoryLimitBytes)}`;
  return [
    ['processor', `${cpu.model}, ${cpu.logicalCores} logical cores${quota}${mhz}`],
    ['vector extensions', vectorFlags(cpu.flags)],
    ['governor', cpu.governor],
    ['affinity', cpu.affinity],
    ['memory', `${formatSize(memory.totalBytes)}${available}${limit}`],
    ['GPU', gpu.state === 'present' ? gpu.names.join(', ') : `none: ${gpu.reason}`],
    ['load average at start', load.average1m === null ? null : load.average1m.toFixed(2)],
    ['steal since boot', load.stealPercentSinceBoot === null ? null : `${load.stealPercentSinceBoot.toFixed(2)} %`],
    ['system', `${host.platform} ${host.architecture}, kernel ${host.kernel}`],
  ];
}

function software({ node, onnxruntime, servemark, capturedAt }: Environment): Row[] {
  const dirty = servemark.dirty ? ' with local changes' : '';
  const commit = servemark.commit === null ? '' : `, commit ${servemark.commit.slice(0, 12)}${dirty}`;
  const providers = onnxruntime.providers.length > 0 ? ` (${onnxruntime.providers.join(', ')})` : '';
  return [
    ['Node', `${node.version}, V8 ${node.v8}, libuv ${node.uv}`],
    ['ONNX Runtime', onnxruntime.version === null ? null : `${onnxruntime.version}${providers}`],
    ['servemark', `${servemark.version}${commit}`],
    ['captured', capturedAt],
  ];
}

/** Of a hundred flags those that a matrix product feels. */
function vectorFlags(flags: readonly string[]): string | null {
  const wanted = /^(sse4_2|avx|avx2|fma|f16c|avx512[a-z_0-9]*|avx_vnni|amx_[a-z0-9]+|asimd|sve2?|bf16|i8mm)$/;
  const found = flags.filter((flag) => wanted.test(flag));
  return found.length > 0 ? found.join(' ') : null;
}
