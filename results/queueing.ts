import type { RecordTable } from './record.js';
import { mean, meanPresent, mg1Wait } from './stats/index.js';

/** A figure that theory expects and the records have. */
export interface CrossCheck {
  readonly law: string;
  readonly expected: number;
  readonly measured: number;
  readonly unit: 'requests' | 'share' | 'ns';
  /** When it holds. */
  readonly condition: string;
}

export interface Served {
  /** Sessions that work at a time. */
  readonly instances: number;
  /** One request at a time on one instance, in order. */
  readonly serial: boolean;
  readonly poisson: boolean;
  /** CPU seconds of the instances over the trial; null where they were not watched. */
  readonly workerSeconds: number | null;
  readonly durationNs: number;
}

/** Queueing theory beside a measurement. Undefined where no request was both due in time and answered. */
export function crossChecks(
  records: RecordTable,
  { instances, serial, poisson, workerSeconds, durationNs }: Served,
): CrossCheck[] {
  const rows = measured(records);
  const first = records.dueNs[rows[0] ?? 0]!;
  const last = records.dueNs[rows.at(-1) ?? 0]!;
  if (rows.length < 100 || !(last > first)) return [];
  const column = (values: Float64Array) => Float64Array.from(rows, (row) => values[row]!);
  const [came, went] = [column(records.dueNs), column(records.completedNs)];
  const rate = (rows.length - 1) / (last - first);
  const found: CrossCheck[] = [
    {
      law: 'Little: N = λW',
      expected: rate * mean(went.map((end, i) => end - came[i]!)),
      measured: meanPresent(came, went, first, last),
      unit: 'requests',
      condition: 'always, over a time that begins and ends alike',
    },
  ];
  const service = serviceTimes(records, rows);
  if (service === undefined) return found;
  const load = (rate * service.mean) / instances;
  if (workerSeconds !== null)
    found.push({
      law: 'utilisation: ρ = λS/c',
      expected: load,
      measured: (workerSeconds * 1e9) / durationNs / instances,
      unit: 'share',
      condition: 'the instances compute on one thread each, and do not sleep',
    });
  if (!serial || !poisson || load >= 1) return found;
  const wait = mean(column(records.queueNs));
  const condition = 'Poisson arrivals, one server, first come first served';
  found.push(
    { law: 'M/G/1 wait', expected: mg1Wait(rate, service.mean, service.square), measured: wait, unit: 'ns', condition },
    {
      law: 'M/D/1 wait',
      expected: mg1Wait(rate, service.mean),
      measured: wait,
      unit: 'ns',
      condition: `${condition}, equal service times`,
    },
  );
  return found;
}

/** Answered ones, in order of due time, warm-up left out. */
function measured(records: RecordTable): Uint32Array {
  const rows: number[] = [];
  for (let row = 0; row < records.length; row++)
    if (records.warmUp[row] === 0 && records.outcome[row] === 0 && records.completedNs[row]! > 0) rows.push(row);
  return Uint32Array.from(rows).sort((a, b) => records.dueNs[a]! - records.dueNs[b]!);
}

/** How long an instance is taken by a request: input, compute, output. Of executions, each counted once. */
function serviceTimes(records: RecordTable, rows: Uint32Array): { mean: number; square: number } | undefined {
  let [count, sum, squares] = [0, 0, 0];
  const seen = new Set<number>();
  for (const row of rows) {
    const execution = records.executionId[row]!;
    const ns = records.computeInputNs[row]! + records.computeInferNs[row]! + records.computeOutputNs[row]!;
    if (Number.isNaN(ns) || execution === 0) return undefined;
    if (records.batchSize[row] !== 1 || seen.has(execution)) return undefined;
    seen.add(execution);
    count++;
    sum += ns;
    squares += ns * ns;
  }
  return count === 0 ? undefined : { mean: sum / count, square: squares / count };
}
