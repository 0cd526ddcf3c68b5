import { OUTCOMES } from './record.js';
import { ascending, distribution } from './stats/percentile.js';
import type { TenantSummary } from './summary.js';
import type { MeasuredWindow } from './window.js';

const OK = OUTCOMES.indexOf('ok');

/** What each tenant of a mixed load got. Latencies count from the due time, as those of all do. */
export function tenantSummaries(
  { records, measured }: Pick<MeasuredWindow, 'records' | 'measured'>,
  durationNs: number,
): TenantSummary[] {
  const told = records.tenants.slice(1).map((tenant) => ({ tenant, offered: 0, errors: 0, latencies: [] as number[] }));
  for (const row of measured) {
    const own = told[records.tenant[row]! - 1];
    if (!own) continue;
    own.offered++;
    if (records.outcome[row] === OK) own.latencies.push(records.completedNs[row]! - records.dueNs[row]!);
    else if (!Number.isNaN(records.issuedNs[row]!)) own.errors++;
  }
  return told.map(({ tenant, offered, errors, latencies }) => ({
    tenant,
    offered,
    ok: latencies.length,
    errors,
    okPerSecond: durationNs > 0 ? (latencies.length / durationNs) * 1e9 : null,
    latencyNs: distribution(ascending(Float64Array.from(latencies))),
  }));
}
