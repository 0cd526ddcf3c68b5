import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DriveProgress } from '../clients/job.js';
import { type LiveEvent, type LiveServer, startLiveServer } from '../results/live/index.js';
import type { RecentReading } from '../results/monitors/index.js';
import type { TrialOutcome } from '../results/summary.js';
import { wholeNumber } from './option-values.js';
import type { RunEvent } from './run.js';

export interface LiveOptions {
  readonly ui?: boolean;
  readonly uiPort?: string;
}

export interface LiveView {
  readonly onEvent: (event: RunEvent) => void;
  /** A trial that is no part of a scenario begins. */
  readonly begin: (title: string) => void;
  /** With the run's folder, whose report the open pages are handed; undefined: it failed. */
  end(finished: { readonly folder: string; readonly state: string } | undefined): Promise<void>;
}

/** The live page of a run, its address on standard error; without `--ui` nothing. Throws UserError where the port is taken. */
export async function showLive(title: string, { ui, uiPort }: LiveOptions): Promise<LiveView> {
  if (!ui && uiPort === undefined) return { onEvent: () => {}, begin: () => {}, end: async () => {} };
  const server = await startLiveServer(title, uiPort === undefined ? 0 : wholeNumber('--ui-port', uiPort, 1, 65_535));
  process.stderr.write(`live page ${server.url}\n`);
  return viewOf(server);
}

function viewOf(server: LiveServer): LiveView {
  const startedAt = performance.now();
  const seconds = () => Number(((performance.now() - startedAt) / 1000).toFixed(3));
  return {
    onEvent(event) {
      const told = liveEvent(event, seconds());
      if (told) server.tell(told);
    },
    begin: (title) => server.tell({ kind: 'trial', t: seconds(), title, index: 0, total: 1 }),
    async end(finished) {
      const path = finished && join(finished.folder, 'report.html');
      const report = path && existsSync(path) ? readFileSync(path, 'utf8') : undefined;
      const { state, folder } = finished ?? { state: 'failed', folder: '' };
      await server.end({ kind: 'end', state, folder, report: report !== undefined }, report);
    },
  };
}

function liveEvent(event: RunEvent, t: number): LiveEvent | undefined {
  switch (event.kind) {
    case 'trial': {
      const { system, load, transport, repeat } = event.spec.identity;
      const title = `${system} · ${load} · ${transport} · repeat ${repeat}`;
      return { kind: 'trial', t, title, index: event.index, total: event.total };
    }
    case 'progress':
      return sampleOf(event.progress, event.recent?.() ?? [], t);
    case 'outcome':
      return outcomeOf(event.outcome);
    case 'note':
      return { kind: 'note', text: event.text };
  }
}

function sampleOf(progress: DriveProgress, readings: readonly RecentReading[], t: number): LiveEvent {
  const { phase, fraction, ratePerSecond, issued, completed, errors, recent } = progress;
  const { p50Ns = null, p90Ns = null, p99Ns = null } = recent ?? {};
  return {
    ...{ kind: 'sample', t, phase, fraction: Number(fraction.toFixed(3)), ratePerSecond: Math.round(ratePerSecond) },
    ...{ p50Ns, p90Ns, p99Ns, outstanding: Math.max(0, issued - completed), errors, device: deviceOf(readings) },
  };
}

/** Cores of each process, and shares (1 = all of it) of devices. */
function deviceOf(readings: readonly RecentReading[]): Record<string, number> {
  const shown = readings.flatMap(({ series: { subject, metric, unit, kind }, value }): [string, number][] => {
    if (metric === 'cpu' && kind === 'counter' && unit === 's') return [[`${subject} (cores)`, rounded(value)]];
    if (metric === 'utilization' && unit === '%') return [[`${subject} ${metric}`, rounded(value / 100)]];
    return [];
  });
  return Object.fromEntries(shown);
}

function rounded(value: number): number {
  return Number(value.toFixed(3));
}

function outcomeOf(outcome: TrialOutcome): LiveEvent {
  if (outcome.state !== 'completed') {
    const remark = outcome.state === 'failed' ? outcome.error : outcome.reason;
    const none = { ratePerSecond: null, p50Ns: null, p99Ns: null };
    return { kind: 'outcome', title: outcome.trial.id, state: outcome.state, ...none, remark };
  }
  const { trial, verdict, throughputPerSecond, latencyNs } = outcome.summary;
  return {
    ...{ kind: 'outcome', title: trial.id, state: verdict.state, ratePerSecond: throughputPerSecond },
    ...{ p50Ns: latencyNs.p50.value, p99Ns: latencyNs.p99.value, remark: verdict.findings[0]?.message ?? '' },
  };
}
