import type { LoadFacts } from '../../results/facts.js';
import { OUTCOMES, RecordTable } from '../../results/record.js';
import { RUN_SCHEMA, type RunPlan, type StoredRun } from '../../results/run.js';
import { canonicalDouble, FastRandom } from '../../results/stats/random.js';
import { summarise } from '../../results/summarise.js';
import type { TrialIdentity, TrialOutcome } from '../../results/summary.js';
import { fakeEnvironment } from './environment.js';

export interface FakeRun {
  readonly run: StoredRun;
  records(trialId: string): RecordTable | undefined;
}

export interface FakeRunOptions {
  readonly seed?: bigint;
  readonly repeats?: number;
  readonly transports?: readonly string[];
  readonly loads?: readonly FakeLoad[];
  /** Requests of a trial; default what the load type's rule needs. */
  readonly requests?: number;
  readonly question?: string;
  /** Twins in virtual time beside the measured trials. */
  readonly simulated?: boolean;
}

export type FakeLoad = 'alone' | 'half' | 'over' | 'bulk';

/**
 * A run as the harness would have stored it: 3 systems × 4 loads × 2 transports × repeats. Queues are real (a request waits
 * until an instance is free, batches form while it waits); service times are drawn from the seed.
 */
export function fakeRun(options: FakeRunOptions = {}): FakeRun {
  const {
    seed = 1n,
    repeats = 3,
    transports = ['rest-binary', 'grpc'],
    loads = ['alone', 'half', 'over', 'bulk'],
  } = options;
  const tables = new Map<string, RecordTable>();
  const identities: TrialIdentity[] = [];
  for (let repeat = 1; repeat <= repeats; repeat++)
    for (const load of loads)
      for (const transport of transports)
        for (const system of SYSTEMS)
          for (const simulated of options.simulated ? [false, true] : [false])
            identities.push(identity(system.name, load, transport, repeat, identities.length, simulated));
  const outcomes = identities.map((trial): TrialOutcome => {
    const records = simulate(trial, seed * 1000n + BigInt(trial.order), options.requests);
    tables.set(trial.id, records);
    return { state: 'completed', summary: summaryOf(trial, records) };
  });
  const run: StoredRun = {
    folder: '/nowhere/run',
    plan: planOf(identities, { ...options, transports, loads }),
    environment: fakeEnvironment(),
    outcomes,
    state: 'completed',
  };
  return { run, records: (trialId) => tables.get(trialId) };
}

const SYSTEMS = [
  { name: 'serial', summary: 'serial', instances: 1, maxBatch: 1 },
  { name: 'two', summary: 'instance-group, 2 instances', instances: 2, maxBatch: 1 },
  { name: 'batching', summary: 'triton-dynamic, maxBatchSize 32, maxQueueDelay 500 µs', instances: 1, maxBatch: 32 },
] as const;

const TYPES: Readonly<Record<FakeLoad, string>> = {
  alone: 'single-stream',
  half: 'server',
  over: 'server',
  bulk: 'offline',
};
const SUMMARIES: Readonly<Record<FakeLoad, string>> = {
  alone: 'single-stream, 1 s',
  half: 'server, 50% of serial',
  over: 'server, 150% of serial',
  bulk: 'offline, 1 s',
};
const COUNTS: Readonly<Record<FakeLoad, number>> = { alone: 1500, half: 1200, over: 2400, bulk: 3000 };
const RATES: Readonly<Record<FakeLoad, number | null>> = { alone: null, half: 1400, over: 4200, bulk: null };
const TARGETS = { p99LatencyNs: 20e6, errorRate: 0.001 };

function identity(
  system: string,
  load: FakeLoad,
  transport: string,
  repeat: number,
  order: number,
  simulated: boolean,
) {
  const id = `${system}.${load}.${transport}.r${repeat}${simulated ? '.sim' : ''}`;
  return { id, system, load, loadType: TYPES[load], transport, repeat, order, simulated };
}

/** Requests in order of arrival; each instance takes what waits, up to its batch limit. Times are ns. */
function simulate(trial: TrialIdentity, seed: bigint, requests?: number): RecordTable {
  const load = trial.load as FakeLoad;
  const random = new FastRandom(seed);
  const draw = () => canonicalDouble(random);
  const system = SYSTEMS.find(({ name }) => name === trial.system)!;
  const n = requests ?? COUNTS[load];
  const table = new RecordTable(n);
  const wireNs = (trial.transport === 'grpc' ? 160e3 : 90e3) * (trial.simulated ? 0.05 : 1);
  const free = new Array<number>(system.instances).fill(0);
  const rate = RATES[load];
  let due = 0;
  for (let i = 0, execution = 0; i < n; execution++) {
    if (load === 'alone' && i > 0) due = table.completedNs[i - 1]!;
    else if (rate !== null && i > 0) due = table.dueNs[i]! || due - (Math.log(1 - draw()) / rate) * 1e9;
    const instance = free.indexOf(Math.min(...free));
    const start = Math.max(due, free[instance]!);
    const members = [due];
    // Whoever is due before the execution starts joins it.
    while (members.length < system.maxBatch && i + members.length < n && load !== 'alone') {
      const next = rate === null ? 0 : due - (Math.log(1 - draw()) / rate) * 1e9;
      due = next;
      if (next > start) {
        table.dueNs[i + members.length] = next;
        break;
      }
      members.push(next);
    }
    const slow = draw() < 0.01 ? 3 : 1;
    const inferNs = (290e3 + 18e3 * members.length) * (0.9 + 0.2 * draw()) * slow;
    const end = start + inferNs;
    free[instance] = end;
    for (const memberDue of members) {
      fill(table, i, {
        due: memberDue,
        start,
        end,
        wireNs: wireNs * (0.8 + 0.6 * draw()),
        rows: members.length,
        execution,
        draw,
      });
      i++;
    }
  }
  table.length = n;
  return table;
}

interface Filling {
  readonly due: number;
  readonly start: number;
  readonly end: number;
  readonly wireNs: number;
  readonly rows: number;
  readonly execution: number;
  draw(): number;
}

function fill(table: RecordTable, row: number, { due, start, end, wireNs, rows, execution, draw }: Filling): void {
  const lateness = 5e3 + 120e3 * draw() ** 6;
  table.sequence[row] = row;
  table.query[row] = row;
  table.sampleIndex[row] = row % 1000;
  table.rows[row] = 1;
  table.dueNs[row] = due;
  table.issuedNs[row] = due + lateness;
  table.serverSeenNs[row] = due + lateness + wireNs / 2;
  table.receiveNs[row] = 20e3;
  table.queueNs[row] = start - due;
  table.computeInputNs[row] = 4e3;
  table.computeInferNs[row] = end - start;
  table.computeOutputNs[row] = 3e3;
  table.serialiseNs[row] = 6e3;
  table.completedNs[row] = end + lateness + wireNs + 33e3;
  table.firstByteNs[row] = table.completedNs[row]! - 8e3;
  table.outcome[row] = OUTCOMES.indexOf('ok');
  table.batchSize[row] = rows;
  table.executionId[row] = execution + 1;
}

function summaryOf(trial: TrialIdentity, records: RecordTable) {
  const load = trial.load as FakeLoad;
  const durationNs = records.completedNs.reduce((a, b) => Math.max(a, b));
  const seconds = durationNs / 1e9;
  return summarise({
    identity: trial,
    records,
    load: loadFacts(load),
    drive: {
      startedAt: new Date(Date.UTC(2026, 0, 31, 12, 0, trial.order * 2)).toISOString(),
      durationNs,
      offered: records.length,
      scheduleSha256: `${load}${trial.repeat}`.padEnd(64, '0').replaceAll(/[^0-9a-f]/g, 'a'),
      arrivals: RATES[load] === null ? null : 'poisson',
      clockDrift: 1e-6,
      stoppedEarly: null,
      cpu: { userSeconds: records.length * 12e-6, systemSeconds: records.length * 6e-6 },
    },
    processes: [
      {
        role: 'server',
        userSeconds: seconds * 0.2,
        systemSeconds: seconds * 0.06,
        rssPeakBytes: 92e6,
        rssFirstBytes: 88e6,
        rssLastBytes: 90e6,
      },
      {
        role: 'workers',
        userSeconds: seconds * 0.6,
        systemSeconds: seconds * 0.01,
        rssPeakBytes: null,
        rssFirstBytes: null,
        rssLastBytes: null,
      },
    ],
    targets: TARGETS,
    seed: 4n,
    scheduleSeed: String(trial.repeat),
  });
}

function loadFacts(load: FakeLoad): LoadFacts {
  const rate = RATES[load];
  return {
    primary: {
      metric: load === 'alone' ? 'p90Latency' : load === 'bulk' ? 'throughput' : 'targetRate',
      percentile: load === 'alone' ? 0.9 : rate === null ? null : 0.99,
    },
    scheduled: rate !== null,
    latenessExpected: load === 'bulk',
    perQuery: false,
    ratePerSecond: rate,
    latencyBoundNs: rate === null ? null : TARGETS.p99LatencyNs,
    minDurationNs: 0,
    minQueries: 0,
    cap: null,
  };
}

function planOf(
  identities: readonly TrialIdentity[],
  {
    question,
    transports,
    loads,
  }: FakeRunOptions & { readonly transports: readonly string[]; readonly loads: readonly FakeLoad[] },
): RunPlan {
  return {
    schema: RUN_SCHEMA,
    question: question ?? 'Which of these ways of serving fashion-mlp is better on this machine, and at which load?',
    scenario: 'quickstart',
    command: 'servemark run scenarios/quickstart.yaml',
    systems: SYSTEMS.map(({ name, summary }) => ({ name, summary })),
    loads: loads.map((name) => ({ name, summary: SUMMARIES[name] })),
    transports,
    targets: TARGETS,
    seeds: { schedule: '1', samples: '2', order: '3', bootstrap: '4' },
    model: {
      name: 'fashion-mlp',
      sha256: '73b311e6'.padEnd(64, '0'),
      provenance: 'optimizers/train/fashion-mlp.ts, seed 20170825',
    },
    trials: identities.map((each) => ({ identity: each, detail: {} })),
    simulated: false,
  };
}
