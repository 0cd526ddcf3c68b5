import { UserError } from '../../results/errors.js';
import { unknownName } from '../../results/lookup.js';
import { parseFraction } from '../../results/units.js';
import type { ModelSpec } from '../../servers/models/index.js';
import { findModel, models } from '../../servers/models/index.js';
import { runtimes } from '../../servers/runtimes/index.js';
import { startServer } from '../../servers/server.js';
import { strategyNamed } from '../../servers/strategies/index.js';
import type { CommandDefinition } from '../contract.js';
import { EXIT } from '../contract.js';
import { readProfile } from '../profiles.js';
import { parseSettings } from '../settings.js';
import { wholeNumber } from './schedule.js';

interface ServeOptions {
  readonly strategy: string;
  readonly set: readonly string[];
  readonly modelSet: readonly string[];
  readonly name?: string;
  readonly instances: string;
  readonly isolation: string;
  readonly host: string;
  readonly restPort: string;
  readonly grpcPort: string;
  readonly grpcEngine: string;
  readonly profile?: string;
  readonly requestLog?: string;
  readonly requestLogSample: string;
}

export const serveCommand: CommandDefinition = {
  name: 'serve',
  summary: 'serve a model with a strategy over KServe v2 (REST and gRPC) until SIGTERM or Ctrl-C',
  configure(command, finish) {
    command
      .argument('<model>', 'zoo name, runtime name (synthetic, null) or path of an ONNX file')
      .option('--strategy <name>', 'serving strategy', 'serial')
      .option('--set <key=value...>', 'options of the strategy', [])
      .option('--model-set <key=value...>', 'options of the model’s runtime', [])
      .option('--name <name>', 'serve a file under this name')
      .option('--instances <n>', 'loaded sessions', '1')
      .option('--isolation <kind>', 'thread or process', 'thread')
      .option('--host <address>', 'where to listen; other than loopback only if you mean it', '127.0.0.1')
      .option('--rest-port <port>', '0 = any free port', '8000')
      .option('--grpc-port <port>', '0 = any free port', '8001')
      .option('--grpc-engine <name>', 'grpc (our own) or grpc-js (the library)', 'grpc')
      .option('--profile <file>', 'cost table from `servemark profile`, for strategies that plan with it')
      .option('--request-log <file>', 'append one JSON line a request; - = standard output')
      .option('--request-log-sample <share>', 'of the requests, like 1%', '100%')
      .action((model: string, options: ServeOptions) => finish(serve(model, options)));
  },
};

async function serve(model: string, options: ServeOptions): Promise<number> {
  strategyNamed(options.strategy, '--strategy');
  if (options.isolation !== 'thread' && options.isolation !== 'process')
    throw new UserError({
      place: '--isolation',
      found: `"${options.isolation}" is unknown`,
      allowed: 'thread, process',
    });
  if (options.grpcEngine !== 'grpc' && options.grpcEngine !== 'grpc-js')
    throw new UserError({
      place: '--grpc-engine',
      found: `"${options.grpcEngine}" is unknown`,
      allowed: 'grpc, grpc-js',
    });
  const stopped = nextSignal();
  const server = await startServer(
    {
      name: 'servemark',
      model: modelArgument(model, options.name, parseSettings(options.modelSet)),
      strategy: { name: options.strategy, options: parseSettings(options.set) },
      instances: wholeNumber('--instances', options.instances, 1, 64),
      isolation: options.isolation,
      frontends: {
        rest: { host: options.host, port: wholeNumber('--rest-port', options.restPort, 0, 65535) },
        [options.grpcEngine]: { host: options.host, port: wholeNumber('--grpc-port', options.grpcPort, 0, 65535) },
      },
      profile: options.profile === undefined ? undefined : readProfile(options.profile),
      requestLog:
        options.requestLog === undefined
          ? undefined
          : { path: options.requestLog, sample: shareOf('--request-log-sample', options.requestLogSample) },
    },
    { event: (text) => process.stderr.write(`${text}\n`) },
  );
  process.stdout.write(
    `ready ${server.addresses.rest} grpc://${server.addresses[options.grpcEngine]} ${server.metadata.name} ${options.strategy}\n`,
  );
  await stopped;
  await server.close();
  return EXIT.done;
}

/** Throws UserError where it is no share of a whole. */
function shareOf(place: string, text: string): number {
  const share = parseFraction(text);
  if (share !== undefined && share <= 1) return share;
  throw new UserError({ place, found: `"${text}" is no share`, allowed: '1%, or 0.01; at most 100%' });
}

/** A zoo name first, then a runtime that needs no file, then a path. */
export function modelArgument(text: string, name?: string, options: Readonly<Record<string, unknown>> = {}): ModelSpec {
  if (findModel(text)) return { zoo: text, options };
  if (text !== 'onnx' && runtimes.some((runtime) => runtime.name === text)) return { runtime: text, name, options };
  if (!/[./\\]/.test(text))
    throw new UserError({
      ...unknownName('MODEL', 'model', text, [...models, 'synthetic', 'null']),
      remedy: 'For a file give its path: ./my.onnx',
    });
  return { path: text, name, options };
}

/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. */
function nextSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
}
