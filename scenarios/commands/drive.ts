import type { DriveProgress } from '../../clients/job.js';
import { forkLoad, LoadProcessError } from '../../clients/load-handle.js';
import { type LoadPlan, loadNamed, loads } from '../../clients/loads/index.js';
import { mostProcesses } from '../../clients/share.js';
import { createTransport, transports } from '../../clients/transports/index.js';
import { readRecords } from '../../results/arrow.js';
import type { Calibration } from '../../results/calibration.js';
import { captureEnvironment } from '../../results/capture.js';
import { messageOf, UserError } from '../../results/errors.js';
import { lookUp } from '../../results/lookup.js';
import { checkMonitor, type MonitorSettings, monitors, startMonitors } from '../../results/monitors/index.js';
import { writeReports } from '../../results/report.js';
import { RUN_SCHEMA, type RunPlan } from '../../results/run.js';
import { createRun, type RunStore } from '../../results/store.js';
import { summarise } from '../../results/summarise.js';
import type { Distribution, Quantile, TrialIdentity, TrialSummary } from '../../results/summary.js';
import type { ModelMetadata } from '../../servers/protocol/index.js';
import type { CommandDefinition } from '../contract.js';
import { EXIT } from '../contract.js';
import { type LiveOptions, type LiveView, showLive } from '../live.js';
import { loadFacts, planFrom } from '../load-facts.js';
import { durationOption, seedOption, shareOption, wholeNumber } from '../option-values.js';
import { conclude, exitCodeOf, interruptible, RESULTS_ROOT } from '../progress.js';
import { calibrationOf, measuredRoofline, requestBytesOf, rooflineProblem } from '../roofline.js';
import { loadLoops } from '../session.js';
import { parseSettings } from '../settings.js';
import { keepReadings } from '../trial.js';

interface DriveOptions extends LiveOptions {
  readonly model: string;
  readonly transport: string;
  readonly load: string;
  readonly arrivals?: string;
  readonly rate?: string;
  readonly concurrency?: string;
  readonly processes: string;
  readonly duration?: string;
  readonly set: readonly string[];
  readonly warmUp: string;
  readonly timeout: string;
  readonly samples?: string;
  readonly directory?: string;
  readonly dims: readonly string[];
  readonly seed: string;
  readonly sampleSeed: string;
  readonly p99?: string;
  readonly errorRate: string;
  readonly out: string;
  readonly monitor?: readonly string[];
  readonly monitorSet: readonly string[];
  readonly monitorPeriod: string;
  readonly json?: boolean;
  readonly strict?: boolean;
  readonly force?: boolean;
}

export const driveCommand: CommandDefinition = {
  name: 'drive',
  summary: 'put a load on any KServe v2 endpoint of this machine: same records, verdict and report',
  configure(command, finish) {
    command
      .argument('<url>', 'http://127.0.0.1:8000 for rest and rest-binary, 127.0.0.1:8001 for grpc')
      .requiredOption('--model <name>', 'the model’s name on that server')
      .option('--transport <name>', 'rest, rest-binary or grpc', 'rest-binary')
      .option('--load <type>', loads.map((load) => load.name).join(', '), 'open')
      .option('--arrivals <name>', 'arrival process of an open load')
      .option('--rate <rate>', 'like 200/s (open, server)')
      .option('--concurrency <n>', 'requests in flight (closed), or their cap (open)')
      .option('--processes <n>', 'load processes that share the load', '1')
      .option('--duration <time>', 'like 20s')
      .option('--set <key=value...>', 'further options of the load', [])
      .option('--warm-up <time>', 'load before the measured part', '1s')
      .option('--timeout <time>', 'of one request', '30s')
      .option('--samples <name>', 'sample library (default: generated from the model’s metadata)')
      .option('--directory <folder>', 'of .npy or raw files, for --samples npy')
      .option('--dims <input=size,size...>', 'sizes of dynamic dimensions, batch excluded', [])
      .option('--seed <seed>', '64-bit seed of the schedule', '1')
      .option('--sample-seed <seed>', '64-bit seed of the samples', '2')
      .option('--p99 <time>', 'target: p99 latency')
      .option('--error-rate <share>', 'target, like 0.1%', '0.1%')
      .option('--force', 'also a rate above 70 % of what the calibrated load processes can do: it runs, and is INVALID')
      .option('--out <folder>', 'where run folders go', RESULTS_ROOT)
      .option('--ui', 'a live page on this machine while it runs')
      .option('--ui-port <port>', 'its port (default: a free one)')
      .option('--monitor <name...>', 'what is read meanwhile (default: all that run by default and can)')
      .option('--monitor-set <monitor.key=value...>', 'options, like prometheus.url=http://127.0.0.1:8002/metrics', [])
      .option('--monitor-period <time>', 'between two readings', '100ms')
      .option('--json', 'print one JSON object')
      .option('--strict', 'exit with 1 where it is INVALID or a target is missed')
      .action((url: string, options: DriveOptions) => finish(drive(url, options)));
  },
};

async function drive(url: string, options: DriveOptions): Promise<number> {
  const stop = interruptible();
  const request = readOptions(url, options);
  const environment = captureEnvironment();
  const calibration = calibrationOf(environment);
  const metadata = await mustAnswer(url, options);
  if (!options.force) checkRate(request, metadata, calibration);
  const identity: TrialIdentity = {
    id: `endpoint.${options.load}.${options.transport}.r1`,
    system: 'endpoint',
    load: options.load,
    loadType: options.load,
    transport: options.transport,
    repeat: 1,
    order: 0,
    simulated: false,
  };
  const live = await showLive(`${options.model} at ${url}`, options);
  const store = createRun(options.out, planOf(url, options, identity, request), environment);
  let summary: TrialSummary;
  try {
    live.begin(identity.id);
    summary = await measure(url, request, identity, store, calibration, stop.signal, live);
  } catch (error) {
    await live.end(undefined);
    return recordFailure(error, identity, store);
  }
  store.writeOutcome({ state: 'completed', summary });
  live.onEvent({ kind: 'outcome', outcome: { state: 'completed', summary } });
  const state = stop.signal.aborted ? 'interrupted' : 'completed';
  store.finish(state);
  const finished = { folder: store.folder, state, reports: await writeReports(store.folder) } as const;
  await live.end(finished);
  if (!options.json) return conclude(finished, options.strict ?? false);
  process.stdout.write(`${JSON.stringify(asJson(summary, store.folder))}\n`);
  if (stop.signal.aborted) return EXIT.interrupted;
  return exitCodeOf([{ state: 'completed', summary }], options.strict ?? false);
}

async function measure(
  url: string,
  { job, plan, processes, targets, monitors: settings }: ReturnType<typeof readOptions>,
  identity: TrialIdentity,
  store: RunStore,
  calibration: Calibration | undefined,
  signal: AbortSignal,
  live: LiveView,
): Promise<TrialSummary> {
  const recordsPath = store.recordsPath(identity.id);
  const set = await startMonitors(settings);
  let marked = false;
  const onProgress = (progress: DriveProgress) => {
    if (progress.phase === 'measuring' && !marked) {
      marked = true;
      set.mark();
    }
    live.onEvent({ kind: 'progress', progress });
  };
  const onStart = (pid: number) => set.watch({ role: 'load', pid });
  const eventLoop = loadLoops(set);
  const driven = forkLoad({ ...job, url, recordsPath }, { signal, processes, onProgress, onStart, eventLoop });
  const result = await driven.finally(() => set.stop());
  const read = keepReadings(await set.stop(), result.startedAt, identity.id, store);
  const load = loadFacts(job.load.type, job.load.options, plan, 'quick', targets);
  return summarise({
    identity,
    records: readRecords(recordsPath),
    drive: result,
    load,
    // The load process's own account is of the measured window exactly; nobody else's process is known here.
    processes: [],
    ...read,
    targets,
    seed: 4n,
    scheduleSeed: job.seeds.schedule,
    roofline: measuredRoofline(calibration, { transport: job.transport, ...load }, result),
  });
}

/** A load that failed is a result too; what the user can mend goes on as the user's error. */
async function recordFailure(error: unknown, trial: TrialIdentity, store: RunStore): Promise<number> {
  const lastLines = error instanceof LoadProcessError ? error.lastLines : [];
  store.writeOutcome({ state: 'failed', trial, error: messageOf(error), lastLines });
  store.finish('completed');
  if (error instanceof UserError) throw error;
  process.stderr.write(`${['failed: ', messageOf(error), '\n', ...lastLines.map((line) => `  ${line}\n`)].join('')}`);
  for (const path of await writeReports(store.folder)) process.stderr.write(`report ${path}\n`);
  return EXIT.invalid;
}

function readOptions(url: string, options: DriveOptions) {
  loadNamed(options.load, '--load');
  lookUp(
    transports.filter((each) => each.endpoint !== 'none'),
    options.transport,
    'transport',
    '--transport',
  );
  seedOption('--seed', options.seed);
  seedOption('--sample-seed', options.sampleSeed);
  const loadOptions = {
    ...(options.rate === undefined ? {} : { rate: options.rate }),
    ...(options.arrivals === undefined ? {} : { arrivals: options.arrivals }),
    ...(options.concurrency === undefined
      ? {}
      : { concurrency: wholeNumber('--concurrency', options.concurrency, 1, 10_000) }),
    ...(options.duration === undefined ? {} : { duration: options.duration }),
    ...parseSettings(options.set),
  };
  const load = { type: options.load, options: loadOptions, preset: 'quick' as const };
  const seeds = { schedule: options.seed, samples: options.sampleSeed };
  // Wrong options are to be told before anything starts.
  const plan = planFrom(load, seeds, 'quick');
  const samples = {
    name: options.samples ?? (options.directory === undefined ? 'random' : 'npy'),
    directory: options.directory,
    dims: dimsOf(options.dims),
  };
  return {
    targets: {
      p99LatencyNs: options.p99 === undefined ? undefined : durationOption('--p99', options.p99),
      errorRate: shareOption('--error-rate', options.errorRate),
    },
    monitors: monitorsOf(options, durationOption('--monitor-period', options.monitorPeriod, { least: '10ms' })),
    job: {
      transport: options.transport,
      model: options.model,
      connections: Math.max(64, Math.min(1024, Number(options.concurrency ?? 0))),
      timeoutNs: durationOption('--timeout', options.timeout),
      load,
      samples,
      seeds,
      warmUpNs: durationOption('--warm-up', options.warmUp, {}),
      mode: 'performance' as const,
      judge: false,
    },
    plan,
    processes: processesOf(options, plan),
    url,
  };
}

/** Each needs a request and a place in flight. */
function processesOf({ processes }: DriveOptions, plan: LoadPlan): number {
  return wholeNumber('--processes', processes, 1, Math.min(64, mostProcesses(plan)));
}

/** The endpoint's process is not known here: what is read is the load's own processes, the machine, and pages that are named. */
function monitorsOf({ monitor, monitorSet }: DriveOptions, periodNs: number): MonitorSettings {
  const options = parseSettings(monitorSet) as Record<string, Record<string, unknown> | undefined>;
  const named = [...new Set([...(monitor ?? []), ...Object.keys(options)])];
  const names = monitor === undefined ? [...defaultMonitors(), ...Object.keys(options)] : named;
  const choices = [...new Set(names)].map((name) => ({ name, options: options[name] ?? {} }));
  for (const choice of choices) checkMonitor(choice, `--monitor ${choice.name}`);
  return { choices: named.length === 0 ? undefined : choices, periodMs: periodNs / 1e6 };
}

function defaultMonitors(): string[] {
  return monitors.filter(({ byDefault, name }) => byDefault && name !== 'nvidia-smi').map(({ name }) => name);
}

/** A rate that the calibrated load processes are not good for is refused. Throws UserError. */
function checkRate(
  { job, processes }: ReturnType<typeof readOptions>,
  { inputs }: ModelMetadata,
  calibration: Calibration | undefined,
): void {
  const asked = { ...job.load, transport: job.transport, processes, requestBytes: requestBytesOf(inputs) };
  const problem = rooflineProblem(calibration, asked, '--rate');
  if (problem) throw new UserError(problem);
}

/** Before anything is written: is there a server, and has it the model? */
async function mustAnswer(url: string, options: DriveOptions): Promise<ModelMetadata> {
  const transport = createTransport(options.transport, { url, model: options.model, connections: 1, timeoutNs: 5e9 });
  try {
    return await transport.modelMetadata(AbortSignal.timeout(5000));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError({
      place: `servemark drive ${url}`,
      found: `${options.transport} gets no metadata of model "${options.model}": ${messageOf(error)}`,
      remedy: 'Start the server first, and check address, transport and model name',
    });
  } finally {
    await transport.close();
  }
}

function dimsOf(texts: readonly string[]): Record<string, number[]> | undefined {
  if (texts.length === 0) return undefined;
  return Object.fromEntries(
    texts.map((text) => {
      const match = /^([^=]+)=(\d+(?:,\d+)*)$/.exec(text);
      if (!match)
        throw new UserError({
          place: `--dims ${text}`,
          found: 'is no list of sizes',
          allowed: 'input=size,size like ids=128',
        });
      return [match[1]!, match[2]!.split(',').map(Number)];
    }),
  );
}

function planOf(
  url: string,
  options: DriveOptions,
  identity: TrialIdentity,
  request: ReturnType<typeof readOptions>,
): RunPlan {
  return {
    schema: RUN_SCHEMA,
    question: `How does ${url} serve ${options.model} under this load?`,
    scenario: 'drive',
    command: `servemark drive ${url} --model ${options.model} --transport ${options.transport} --load ${options.load}${options.arrivals ? ` --arrivals ${options.arrivals}` : ''}${options.rate ? ` --rate ${options.rate}` : ''}${options.concurrency ? ` --concurrency ${options.concurrency}` : ''}${options.duration ? ` --duration ${options.duration}` : ''}${options.processes === '1' ? '' : ` --processes ${options.processes}`} --warm-up ${options.warmUp} --seed ${options.seed} --sample-seed ${options.sampleSeed}`,
    systems: [{ name: 'endpoint', summary: `${options.model} at ${url}` }],
    loads: [
      {
        name: options.load,
        summary: Object.entries(request.job.load.options)
          .map(([key, value]) => `${key} ${String(value)}`)
          .join(', '),
      },
    ],
    transports: [options.transport],
    targets: request.targets,
    seeds: { schedule: options.seed, samples: options.sampleSeed, bootstrap: '4' },
    model: { name: options.model, sha256: null, provenance: 'an endpoint that servemark did not start' },
    trials: [{ identity, detail: request.job }],
    simulated: false,
  };
}

/** The forms scripts rely on. Percentiles that the sample is too small for are null. */
function asJson(summary: TrialSummary, runFolder: string): unknown {
  const { counts } = summary;
  return {
    completed: counts.ok,
    offered: counts.offered,
    issued: counts.issued,
    errors: counts.issued - counts.ok,
    errorCodes: summary.errors,
    throughputPerSecond: summary.throughputPerSecond,
    offeredPerSecond: summary.offeredPerSecond,
    latencyNs: plain(summary.latencyNs),
    sendLatencyNs: plain(summary.sendLatencyNs),
    latenessNs: plain(summary.latenessNs),
    scheduleSha256: summary.schedule.sha256,
    loadCpu: summary.processes.find((usage) => usage.role === 'load') ?? null,
    durationNs: summary.durationNs,
    verdict: summary.verdict,
    runFolder,
  };
}

function plain(distribution: Distribution): Record<string, number | null> {
  const value = (quantile: Quantile): number | null => quantile.value;
  const { p50, p90, p95, p99, p999, min, max, mean } = distribution;
  return { p50: value(p50), p90: value(p90), p95: value(p95), p99: value(p99), p999: value(p999), min, max, mean };
}
