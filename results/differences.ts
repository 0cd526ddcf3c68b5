import type { StoredRun } from './run.js';
import type { TrialSummary } from './summary.js';

/** One thing that is not the same in two runs. */
export interface DifferenceFound {
  /** `model sha256`, `cpu`, `schedule of serial.half.grpc.r1` … */
  readonly what: string;
  readonly before: string;
  readonly after: string;
  /**
   * `load`: other bytes were offered; `system`: something else was measured; `machine`: it was measured on or with something
   * else; `mood`: the same machine in another state.
   */
  readonly kind: 'load' | 'system' | 'machine' | 'mood';
}

/** What differs between two runs besides their results, in the order of how much it may explain. Empty where nothing does. */
export function differences(before: StoredRun, after: StoredRun): DifferenceFound[] {
  const all = [...loads(before, after), ...systems(before, after), ...machines(before, after)];
  const rank = ['load', 'system', 'machine', 'mood'];
  return all.sort((a, b) => rank.indexOf(a.kind) - rank.indexOf(b.kind));
}

function loads(before: StoredRun, after: StoredRun): DifferenceFound[] {
  const now = new Map(summaries(after).map((summary) => [summary.trial.id, summary]));
  return summaries(before).flatMap((then) => {
    const again = now.get(then.trial.id);
    if (!again) return [];
    const sampled = (summary: TrialSummary) => summary.inputs?.sha256;
    return [
      ...differing('load', `schedule of ${then.trial.id}`, then.schedule.sha256, again.schedule.sha256),
      ...(sampled(then) && sampled(again)
        ? differing('load', `samples of ${then.trial.id}`, sampled(then), sampled(again))
        : []),
    ];
  });
}

function systems({ plan: a }: StoredRun, { plan: b }: StoredRun): DifferenceFound[] {
  const named = new Map(b.systems.map(({ name, summary }) => [name, summary]));
  return [
    ...differing('system', 'model', a.model.name, b.model.name),
    ...differing('system', 'model sha256', a.model.sha256, b.model.sha256),
    ...differing('system', 'model provenance', a.model.provenance, b.model.provenance),
    ...a.systems.flatMap(({ name, summary }) =>
      named.has(name) ? differing('system', `system ${name}`, summary, named.get(name)) : [],
    ),
    ...differing('load', 'seeds', JSON.stringify(a.seeds), JSON.stringify(b.seeds)),
  ];
}

function machines({ environment: a }: StoredRun, { environment: b }: StoredRun): DifferenceFound[] {
  const machine = (what: string, then: unknown, now: unknown) => differing('machine', what, then, now);
  return [
    ...machine('servemark version', a.servemark.version, b.servemark.version),
    ...machine('servemark commit', a.servemark.commit, b.servemark.commit),
    ...machine('uncommitted changes', a.servemark.dirty, b.servemark.dirty),
    ...machine('node', a.node.version, b.node.version),
    ...machine('ONNX Runtime', a.onnxruntime.version, b.onnxruntime.version),
    ...machine('cpu', a.cpu.model, b.cpu.model),
    ...machine('cores', a.cpu.logicalCores, b.cpu.logicalCores),
    ...machine('cpu affinity', a.cpu.affinity, b.cpu.affinity),
    ...machine('cpu flags', a.cpu.flags.join(' '), b.cpu.flags.join(' ')),
    ...machine('governor', a.cpu.governor, b.cpu.governor),
    ...machine('cpu quota', a.cgroup.cpuQuotaCores, b.cgroup.cpuQuotaCores),
    ...machine('memory limit', a.cgroup.memoryLimitBytes, b.cgroup.memoryLimitBytes),
    ...machine('memory', a.memory.totalBytes, b.memory.totalBytes),
    ...machine('kernel', a.host.kernel, b.host.kernel),
    ...machine('gpu', JSON.stringify(a.gpu), JSON.stringify(b.gpu)),
    ...busy(a.load.average1m, b.load.average1m),
  ];
}

/** A load average is never the same twice: told where it differs by a whole core or more. */
function busy(before: number | null, after: number | null): DifferenceFound[] {
  if (before === null || after === null || Math.abs(before - after) < 1) return [];
  return differing('mood', 'load average at the start', before.toFixed(1), after.toFixed(1));
}

function differing(kind: DifferenceFound['kind'], what: string, before: unknown, after: unknown): DifferenceFound[] {
  if (before === after || (before ?? null) === (after ?? null)) return [];
  return [{ kind, what, before: text(before), after: text(after) }];
}

function text(value: unknown): string {
  if (value === null || value === undefined) return 'unknown';
  const said = String(value);
  return /^[0-9a-f]{64}$/.test(said) ? `${said.slice(0, 12)}…` : said;
}

function summaries(run: StoredRun): TrialSummary[] {
  return run.outcomes.flatMap((outcome) => (outcome.state === 'completed' ? [outcome.summary] : []));
}
