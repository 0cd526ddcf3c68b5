import { Counter, Gauge, Registry } from 'prom-client';
import type { GatewayCounts } from '../../results/gateway.js';

/** The gateway's counts as Prometheus text; computed when somebody asks. */
export function gatewayMetrics(counts: GatewayCounts): Promise<string> {
  const registry = new Registry();
  const registers = [registry];
  const total = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name: `servemark_gateway_${name}`, help, labelNames, registers });
  total('requests_total', 'Requests that came').inc(counts.requests);
  total('retries_total', 'Attempts beyond the first of a request').inc(counts.retries);
  total('refused_total', 'Requests for which no replica was up').inc(counts.refused);
  const attempts = total('attempts_total', 'Requests given to a replica, by how they went', [
    'pool',
    'replica',
    'outcome',
  ]);
  const busy = total('replica_busy_seconds_total', 'Time times instances at work', ['pool', 'replica']);
  const inFlight = new Gauge({
    name: 'servemark_gateway_in_flight',
    help: 'Requests under way at a replica',
    labelNames: ['pool', 'replica'],
    registers,
  });
  for (const pool of counts.pools)
    for (const replica of pool.replicas) {
      const labels = { pool: pool.name, replica: replica.name };
      for (const outcome of ['ok', 'failed', 'abandoned'] as const)
        attempts.inc({ ...labels, outcome }, replica[outcome]);
      busy.inc(labels, replica.busyNs / 1e9);
      inFlight.set(labels, replica.inFlight);
    }
  const copies = counts.mirror && total('copies_total', 'Copies of requests, by what became of them', ['outcome']);
  for (const outcome of ['answered', 'failed', 'dropped', 'differed'] as const)
    if (counts.mirror) copies?.inc({ outcome }, counts.mirror[outcome]);
  return registry.metrics();
}
