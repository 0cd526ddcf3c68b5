import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type ExternalLoad,
  type ExternalTool,
  type Figures,
  type FoundTool,
  figuresOf,
  figuresOfRecords,
  findTool,
  importRequests,
  payloadOf,
  runTool,
  SEND_BASIS,
} from '../clients/external/index.js';
import { forkLoad } from '../clients/load-handle.js';
import { samplesNamed } from '../clients/samples/index.js';
import { createTransport } from '../clients/transports/index.js';
import { readRecords, writeRecords } from '../results/arrow.js';
import { messageOf } from '../results/errors.js';
import { percentileFloor } from '../results/stats/index.js';
import type { InferRequest } from '../servers/protocol/index.js';

/** Where the load goes; `truthNs` is null where nobody knows it: then our own client is what the others are held to. */
export interface Target {
  readonly test: string;
  readonly url: (transport: string) => string;
  readonly model: string;
  readonly ratePerSecond: number;
  readonly durationNs: number;
  readonly worstLatencyNs: number;
  readonly truthNs: Readonly<Record<'p50' | 'p95' | 'p99', number>> | null;
  /** Percentiles that must agree, and how closely: within that share, or within `toleranceNs`. */
  readonly judged: Readonly<Partial<Record<'p50' | 'p95' | 'p99', number>>>;
  readonly toleranceNs: number;
}

/** One line of the table. */
export interface Opinion {
  readonly test: string;
  readonly generator: string;
  readonly version: string | null;
  readonly transport: string;
  readonly loop: 'open' | 'closed';
  readonly basis: 'due' | 'send';
  /** What the rate and duration ask for. */
  readonly expected: number;
  /** null where it failed; `reason` says why. */
  readonly figures: Figures | null;
  readonly verdict: 'agrees' | 'differs' | 'invalid' | 'failed';
  readonly reason: string;
}

export interface CrosscheckOptions {
  readonly tools: readonly ExternalTool[];
  readonly transports: readonly string[];
  readonly signal: AbortSignal;
  /** Keeps records and the tools' own output. */
  readonly out: string;
  readonly onOpinion: (opinion: Opinion) => void;
}

const TIMEOUT_NS = 30e9;
/** Between two generators: the server is to be idle again. */
const PAUSE_MS = 300;

/** Our client over each transport that is used, and every tool that was found over the first one it speaks. */
export async function crosscheck(target: Target, options: CrosscheckOptions): Promise<readonly Opinion[]> {
  const found = options.tools.flatMap((tool) => findTool(tool) ?? []);
  const plan = found.flatMap((each) => {
    const transport = options.transports.find((name) => each.tool.protocols.includes(protocolOf(name)));
    return transport === undefined ? [] : [{ found: each, transport }];
  });
  const used = options.transports.filter(
    (name, position) => position === 0 || plan.some(({ transport }) => transport === name),
  );
  const opinions: Opinion[] = [];
  const say = (opinion: Opinion) => {
    opinions.push(opinion);
    options.onOpinion(opinion);
  };
  for (const transport of used) {
    const ours = await ownOpinion(target, transport, options);
    say(ours);
    const reference = target.truthNs ?? ours.figures?.latencyNs ?? null;
    for (const each of plan.filter((entry) => entry.transport === transport)) {
      await delay(PAUSE_MS, undefined, { signal: options.signal });
      say(await toolOpinion(target, transport, each.found, reference, options));
    }
  }
  return opinions;
}

export function protocolOf(transport: string): 'rest' | 'grpc' {
  return transport === 'grpc' ? 'grpc' : 'rest';
}

async function ownOpinion(target: Target, transport: string, { signal, out }: CrosscheckOptions): Promise<Opinion> {
  const recordsPath = join(out, target.test, `servemark.${transport}.arrow`);
  const head = {
    ...common(target, transport),
    generator: 'servemark',
    version: null,
    loop: 'open',
    basis: 'due',
  } as const;
  try {
    await forkLoad(
      {
        transport,
        url: target.url(transport),
        model: target.model,
        connections: workers(target),
        timeoutNs: TIMEOUT_NS,
        load: {
          type: 'open',
          options: { arrivals: 'constant', rate: target.ratePerSecond, duration: target.durationNs },
          preset: 'quick',
        },
        samples: { name: 'random' },
        seeds: { schedule: '1', samples: '2' },
        warmUpNs: 500e6,
        mode: 'performance',
        judge: false,
        recordsPath,
      },
      { signal },
    );
    signal.throwIfAborted();
    const figures = figuresOfRecords(readRecords(recordsPath));
    return {
      ...head,
      figures,
      ...judged(target, figures, target.truthNs, 'counts from the instant a request was due'),
    };
  } catch (error) {
    signal.throwIfAborted();
    return { ...head, figures: null, verdict: 'failed', reason: messageOf(error) };
  }
}

async function toolOpinion(
  target: Target,
  transport: string,
  found: FoundTool,
  reference: Reference,
  { signal, out }: CrosscheckOptions,
): Promise<Opinion> {
  const { tool, version } = found;
  const head = { ...common(target, transport), generator: tool.name, version, loop: tool.loop, basis: 'send' } as const;
  try {
    const folder = join(out, target.test, tool.name);
    const output = await runTool(found, await externalLoad(target, transport), signal, folder);
    if (output.kind === 'requests')
      writeRecords(join(folder, 'records.arrow'), importRequests(output.requests), {
        ...SEND_BASIS,
        tool: tool.name,
        version: version ?? 'unknown',
        transport,
      });
    const figures = figuresOf(output);
    const kept = output.kind === 'aggregates' ? ` (${output.reason})` : '';
    return { ...head, figures, ...judged(target, figures, reference, `${tool.explains}${kept}`) };
  } catch (error) {
    signal.throwIfAborted();
    return { ...head, figures: null, verdict: 'failed', reason: messageOf(error) };
  }
}

/** Our payload: the first of the samples that our own client sends too. */
async function externalLoad(target: Target, transport: string): Promise<ExternalLoad> {
  const { ratePerSecond, durationNs, worstLatencyNs } = target;
  const request = await firstRequest(target, transport);
  const payload = payloadOf(transport, target.url(transport), request);
  return { ...payload, ratePerSecond, durationNs, worstLatencyNs, timeoutNs: TIMEOUT_NS };
}

async function firstRequest(target: Target, transport: string): Promise<InferRequest> {
  const client = createTransport(transport, {
    url: target.url(transport),
    model: target.model,
    connections: 1,
    timeoutNs: 5e9,
  });
  try {
    const samples = await samplesNamed('random').create({ metadata: await client.modelMetadata(), seed: 2n });
    return { modelName: target.model, inputs: samples.inputs(0) };
  } finally {
    await client.close();
  }
}

function common(target: Target, transport: string) {
  return { test: target.test, transport, expected: Math.round((target.ratePerSecond * target.durationNs) / 1e9) };
}

function workers(target: Target): number {
  return Math.min(1024, Math.ceil((target.ratePerSecond * target.worstLatencyNs) / 1e9) + 10);
}

type Reference = Readonly<Partial<Record<'p50' | 'p95' | 'p99', number | null>>> | null;

/** A generator that dropped or failed requests has no figures to agree with. */
function judged(
  { judged: percentiles, toleranceNs }: Target,
  figures: Figures,
  reference: Reference,
  reason: string,
): Pick<Opinion, 'verdict' | 'reason'> {
  if (figures.dropped > 0)
    return {
      verdict: 'invalid',
      reason: `${figures.dropped} requests were dropped: it had too few workers for this load`,
    };
  if (figures.completed === 0) return { verdict: 'invalid', reason: 'no request was answered well' };
  if (figures.errors > 0.001 * figures.completed)
    return { verdict: 'invalid', reason: `${figures.errors} requests failed; errors never enter latency figures` };
  const off = (Object.entries(percentiles) as [keyof Target['judged'], number][]).filter(([name, share]) => {
    // A percentile of too few requests is no figure to differ by.
    if (figures.completed < percentileFloor(Number(name.slice(1)) / 100)) return false;
    const [is, should] = [figures.latencyNs[name], reference?.[name]];
    if (is === null || should === null || should === undefined) return false;
    return Math.abs(is - should) > Math.max(toleranceNs, share * should);
  });
  return { verdict: off.length === 0 ? 'agrees' : 'differs', reason };
}
