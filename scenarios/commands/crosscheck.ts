import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import pc from 'picocolors';
import { type ExternalTool, externalTool, externalTools, findTool } from '../../clients/external/index.js';
import { transportNamed } from '../../clients/transports/index.js';
import { UserError } from '../../results/errors.js';
import { writeJsonAtomic } from '../../results/files.js';
import { formatDuration, formatRate } from '../../results/units.js';
import { forkServer } from '../../servers/server-handle.js';
import type { CommandDefinition } from '../contract.js';
import { EXIT } from '../contract.js';
import { crosscheck, type Opinion, protocolOf, type Target } from '../crosscheck.js';
import { durationOption, rateOption } from '../option-values.js';
import { table } from '../print.js';
import { interruptible } from '../progress.js';
import { trueLatencyNs } from '../truth.js';

interface Options {
  readonly url?: string;
  readonly model?: string;
  readonly transport: string;
  readonly tools?: string;
  readonly test: string;
  readonly rate: string;
  readonly duration?: string;
  readonly stall: string;
  readonly every: string;
  readonly out?: string;
  readonly json?: boolean;
}

const IDLE_SERVICE_NS = 5e6;
const IDLE_RATE = 100;
const IDLE_DURATION_NS = 5e9;
/** Of the stalling server: nearly nothing, so that the stall is all there is to see. */
const STALL_SERVICE_NS = 100e3;

export const crosscheckCommand: CommandDefinition = {
  name: 'crosscheck',
  summary: 'the same load by our client and every other generator found: where they agree, where not, and why',
  configure(command, finish) {
    command
      .option('--url <url>', 'an endpoint of this machine instead of the two test servers')
      .option('--model <name>', 'the model’s name there (with --url)')
      .option('--transport <names>', 'rest, rest-binary, grpc: the first that a tool speaks', 'rest-binary,grpc')
      .option('--tools <names>', `which (default: all): ${externalTools.map((tool) => tool.name).join(', ')}`)
      .option('--test <name>', 'idle (known service time), stall, or both', 'both')
      .option('--rate <rate>', 'constant, of the stall test and of --url', '200/s')
      .option('--duration <time>', 'of each generator; default: two periods of the stall test, 5s with --url')
      .option('--stall <time>', 'the server blocks for so long …', '1s')
      .option('--every <time>', '… in every such period', '10s')
      .option('--out <folder>', 'keep the records (Arrow) and what the tools wrote')
      .option('--json', 'print one JSON object')
      .action((options: Options) => finish(run(options)));
  },
};

async function run(options: Options): Promise<number> {
  const { signal } = interruptible();
  const transports = options.transport.split(',').map((name) => transportNamed(name.trim(), '--transport').name);
  const tools: readonly ExternalTool[] =
    options.tools === undefined
      ? externalTools
      : options.tools.split(',').map((name) => externalTool(name.trim(), '--tools'));
  const missing = tools.filter((tool) => !findTool(tool));
  const targets = options.url === undefined ? testTargets(options) : [endpoint(options, options.url)];
  const out = options.out === undefined ? mkdtempSync(join(tmpdir(), 'servemark-crosscheck-')) : resolve(options.out);
  const opinions: Opinion[] = [];
  try {
    for (const start of targets) {
      const { target, stop } = start();
      const onOpinion = (opinion: Opinion) => {
        if (!options.json && process.stdout.isTTY)
          process.stderr.write(pc.dim(`${opinion.test}: ${opinion.generator} done\n`));
      };
      try {
        const ready = await target;
        const found = await crosscheck(ready, { tools, transports, signal, out, onOpinion });
        opinions.push(...found);
        if (!options.json) print(ready, found);
      } finally {
        await stop();
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    return EXIT.interrupted;
  } finally {
    if (options.out === undefined) rmSync(out, { recursive: true, force: true });
  }
  const skipped = skippedTools(tools, transports, missing);
  if (options.json) process.stdout.write(`${JSON.stringify({ schema: 1, opinions, skipped }, null, 2)}\n`);
  else for (const { name, reason } of skipped) process.stdout.write(`skipped: ${name}: ${reason}\n`);
  if (options.out !== undefined)
    writeJsonAtomic(join(out, 'crosscheck.json'), { schema: 1, opinions, skipped }, 'the table of this crosscheck');
  return opinions.every(({ generator, verdict }) => generator !== 'servemark' || verdict === 'agrees')
    ? EXIT.done
    : EXIT.invalid;
}

function skippedTools(tools: readonly ExternalTool[], transports: readonly string[], missing: readonly ExternalTool[]) {
  return tools.flatMap((tool) => {
    if (missing.includes(tool)) return [{ name: tool.name, reason: `not found; get it: ${tool.get}` }];
    if (transports.some((name) => tool.protocols.includes(protocolOf(name)))) return [];
    return [{ name: tool.name, reason: `does not speak ${transports.join(' or ')}` }];
  });
}

interface Started {
  readonly target: Promise<Target>;
  stop(): Promise<unknown>;
}

function testTargets(options: Options): (() => Started)[] {
  if (!['idle', 'stall', 'both'].includes(options.test))
    throw new UserError({ place: '--test', found: `there is no test "${options.test}"`, allowed: 'idle, stall, both' });
  const stalling = stallTarget(options);
  const all = { idle: idleTarget(), stall: stalling };
  return Object.entries(all).flatMap(([name, target]) =>
    options.test === 'both' || options.test === name ? [served(target)] : [],
  );
}

type Unserved = Omit<Target, 'url' | 'model'> & { readonly model: { readonly cost: number; readonly stall?: object } };

function idleTarget(): Unserved {
  const truth = trueLatencyNs({ ratePerSecond: IDLE_RATE, serviceNs: IDLE_SERVICE_NS }, 0.5);
  return {
    test: 'idle',
    ratePerSecond: IDLE_RATE,
    durationNs: IDLE_DURATION_NS,
    worstLatencyNs: 1e9,
    truthNs: { p50: truth, p95: truth, p99: truth },
    judged: { p50: 0.2 },
    // What HTTP itself takes on top of the service time.
    toleranceNs: 2e6,
    model: { cost: IDLE_SERVICE_NS },
  };
}

function stallTarget(options: Options): Unserved {
  const [forNs, everyNs] = [durationOption('--stall', options.stall), durationOption('--every', options.every)];
  const ratePerSecond = rateOption('--rate', options.rate);
  const durationNs = options.duration === undefined ? 2 * everyNs : durationOption('--duration', options.duration);
  if (options.url === undefined && (durationNs < everyNs || durationNs % everyNs !== 0))
    throw new UserError({
      place: '--duration',
      found: `${formatDuration(durationNs)} is no whole number of periods of ${formatDuration(everyNs)}`,
      allowed: `a multiple of --every: the true percentiles are those of whole periods`,
    });
  const server = { ratePerSecond, serviceNs: STALL_SERVICE_NS, stall: { everyNs, forNs } };
  const at = (p: number) => trueLatencyNs(server, p);
  return {
    test: 'stall',
    ratePerSecond,
    durationNs,
    worstLatencyNs: 1.5 * forNs + 1e9,
    truthNs: { p50: at(0.5), p95: at(0.95), p99: at(0.99) },
    // HTTP and the way to the worker lengthen each service, and with it the backlog's end, where p95 lies.
    judged: { p95: 0.1, p99: 0.05 },
    // On short stalls what a busy machine adds would be more than the share.
    toleranceNs: 10e6,
    model: { cost: STALL_SERVICE_NS, stall: { every: everyNs, for: forNs } },
  };
}

function served({ model, ...target }: Unserved): () => Started {
  return () => {
    const server = forkServer({
      name: 'crosscheck',
      model: {
        runtime: 'synthetic',
        options: { cost: [[1, model.cost]], ...(model.stall ? { stall: model.stall } : {}) },
      },
      strategy: { name: 'serial' },
      frontends: { rest: { port: 0 }, grpc: { port: 0 } },
    });
    server.catch(() => {});
    return {
      target: server.then(({ addresses, metadata }) => ({
        ...target,
        model: metadata.name,
        url: (transport: string) => addresses[protocolOf(transport)]!,
      })),
      stop: () => server.then((handle) => handle.stop()).catch(() => {}),
    };
  };
}

function endpoint(options: Options, url: string): () => Started {
  const { model } = options;
  if (model === undefined)
    throw new UserError({
      place: '--model',
      found: 'is missing',
      allowed: 'the model’s name on that server',
      remedy: 'Add --model NAME',
    });
  if (options.transport.includes(','))
    throw new UserError({
      place: '--transport',
      found: `${options.transport} names several`,
      allowed: 'one transport with --url',
    });
  const target: Target = {
    test: 'endpoint',
    url: () => url,
    model,
    ratePerSecond: rateOption('--rate', options.rate),
    durationNs: durationOption('--duration', options.duration ?? '5s'),
    worstLatencyNs: 2e9,
    truthNs: null,
    judged: { p50: 0.1, p99: 0.1 },
    toleranceNs: 1e6,
  };
  return () => ({ target: Promise.resolve(target), stop: async () => {} });
}

function print(target: Target, opinions: readonly Opinion[]): void {
  const ms = (ns: number | null | undefined) => (ns === null || ns === undefined ? '–' : formatDuration(ns));
  const { truthNs } = target;
  process.stdout.write(
    `${pc.bold(target.test)}: constant ${formatRate(target.ratePerSecond)} for ${formatDuration(target.durationNs)}${
      truthNs
        ? `; truth p50 ${ms(truthNs.p50)}, p95 ${ms(truthNs.p95)}, p99 ${ms(truthNs.p99)}`
        : '; the truth is unknown: held to servemark'
    }\n`,
  );
  const head = [
    'generator',
    'version',
    'transport',
    'loop',
    'from',
    'answered',
    'rate',
    'p50',
    'p95',
    'p99',
    'verdict',
  ];
  const rows = opinions.map(({ generator, version, transport, loop, basis, expected, figures, verdict }) => [
    generator,
    version ?? '–',
    transport,
    loop,
    basis,
    figures ? `${figures.completed.toLocaleString('en-US')} of ${expected.toLocaleString('en-US')}` : '–',
    figures?.ratePerSecond ? formatRate(figures.ratePerSecond) : '–',
    ms(figures?.latencyNs.p50),
    ms(figures?.latencyNs.p95),
    ms(figures?.latencyNs.p99),
    verdict,
  ]);
  process.stdout.write(table(head, rows));
  // While nothing waits, every way of counting sees the same: only what is off needs words.
  const telling = opinions.filter(({ verdict }) => target.test !== 'idle' || verdict !== 'agrees');
  for (const { generator, transport, reason } of telling)
    process.stdout.write(
      pc.dim(`  ${generator === 'servemark' ? `servemark (${transport})` : generator}: ${reason}\n`),
    );
  process.stdout.write('\n');
}
