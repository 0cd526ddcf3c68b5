import { UserError } from '../../results/errors.js';
import { unknownName } from '../../results/lookup.js';
import type { Isolation } from '../../servers/executors/index.js';
import type { ModelSpec } from '../../servers/models/index.js';
import { findModel, models, packagedModels } from '../../servers/models/index.js';
import { runtimes } from '../../servers/runtimes/index.js';
import { type OpenServer, startRepositoryServer, startServer } from '../../servers/server.js';
import type { EndpointSpec } from '../../servers/spec.js';
import { strategyNamed } from '../../servers/strategies/index.js';
import type { CommandDefinition } from '../contract.js';
import { EXIT } from '../contract.js';
import { durationOption, shareOption, wholeNumber, wordOption } from '../option-values.js';
import { readProfile } from '../profiles.js';
import { parseSettings } from '../settings.js';

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
  readonly processing: string;
  readonly profile?: string;
  readonly requestLog?: string;
  readonly requestLogSample: string;
  readonly repository?: string;
  readonly modelControl: string;
  readonly loadModel: readonly string[];
  readonly poll: string;
  readonly swap: string;
}

export const serveCommand: CommandDefinition = {
  name: 'serve',
  summary:
    'serve a model with a strategy, or a folder of models, over KServe v2 (REST and gRPC) until SIGTERM or Ctrl-C',
  configure(command, finish) {
    command
      .argument('[model]', 'zoo name, runtime name (synthetic, null) or path of an ONNX file')
      .option('--repository <folder>', 'serve every model of a folder: NAME/1/model.onnx, perhaps NAME/config.pbtxt')
      .option('--model-control <mode>', 'of a repository: none, poll or explicit', 'none')
      .option('--load-model <name...>', 'explicit control: what to load at start; * = all', [])
      .option('--poll <interval>', 'between two looks at the folder, with poll', '2s')
      .option(
        '--swap <policy>',
        'availability: load the new version first; resource: unload the old one first',
        'availability',
      )
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
      .option(
        '--processing <where>',
        'server (processors of the model’s entry), or none: tensors as they are',
        'server',
      )
      .option('--profile <file>', 'cost table from `servemark profile`, for strategies that plan with it')
      .option('--request-log <file>', 'append one JSON line a request; - = standard output')
      .option('--request-log-sample <share>', 'of the requests, like 1%', '100%')
      .action((model: string | undefined, options: ServeOptions) => finish(serve(model, options)));
  },
};

async function serve(model: string | undefined, options: ServeOptions): Promise<number> {
  strategyNamed(options.strategy, '--strategy');
  const isolation = wordOption('--isolation', options.isolation, ['thread', 'process']);
  const engine = wordOption('--grpc-engine', options.grpcEngine, ['grpc', 'grpc-js']);
  const stopped = nextSignal();
  const endpoint: EndpointSpec = {
    name: 'servemark',
    frontends: {
      rest: { host: options.host, port: wholeNumber('--rest-port', options.restPort, 0, 65535) },
      [engine]: { host: options.host, port: wholeNumber('--grpc-port', options.grpcPort, 0, 65535) },
    },
    requestLog:
      options.requestLog === undefined
        ? undefined
        : { path: options.requestLog, sample: shareOption('--request-log-sample', options.requestLogSample) },
  };
  const events = { event: (text: string) => process.stderr.write(`${text}\n`) };
  const [server, what] =
    options.repository === undefined
      ? await serveOne(model, options, isolation, endpoint, events)
      : await serveFolder(model, options.repository, options, isolation, endpoint, events);
  process.stdout.write(`ready ${server.addresses.rest} grpc://${server.addresses[engine]} ${what}\n`);
  await stopped;
  await server.close();
  return EXIT.done;
}

type Served = Promise<[server: OpenServer, what: string]>;
type Events = { readonly event: (text: string) => void };

async function serveOne(
  model: string | undefined,
  options: ServeOptions,
  isolation: Isolation,
  endpoint: EndpointSpec,
  events: Events,
): Served {
  if (model === undefined)
    throw new UserError({
      place: 'MODEL',
      found: 'no model is named',
      allowed: 'a zoo name, a runtime or a file; or --repository FOLDER',
    });
  const server = await startServer(
    {
      ...endpoint,
      model: modelArgument(model, options.name, parseSettings(options.modelSet)),
      strategy: { name: options.strategy, options: parseSettings(options.set) },
      instances: wholeNumber('--instances', options.instances, 1, 64),
      isolation,
      processing: wordOption('--processing', options.processing, ['server', 'none']),
      profile: options.profile === undefined ? undefined : readProfile(options.profile),
    },
    events,
  );
  return [server, `${server.metadata.name} ${options.strategy}`];
}

async function serveFolder(
  model: string | undefined,
  root: string,
  options: ServeOptions,
  isolation: Isolation,
  endpoint: EndpointSpec,
  events: Events,
): Served {
  if (model !== undefined)
    throw new UserError({
      place: 'MODEL',
      found: `"${model}" beside --repository`,
      allowed: 'one of them: the models of a repository are those of its folder',
      remedy: 'Leave the model out; --load-model names what to load under --model-control explicit',
    });
  const control = wordOption('--model-control', options.modelControl, ['none', 'poll', 'explicit']);
  if (control !== 'explicit' && options.loadModel.length > 0)
    throw new UserError({
      place: '--load-model',
      found: `it names models under --model-control ${control}, which loads all`,
      remedy: 'Use --model-control explicit, or leave it out',
    });
  const repository = {
    root,
    control,
    load: options.loadModel,
    pollMs: durationOption('--poll', options.poll, { least: '10ms' }) / 1e6,
    swap: wordOption('--swap', options.swap, ['availability', 'resource']),
    isolation,
  };
  const server = await startRepositoryServer({ ...endpoint, repository }, events);
  const ready = server.service.repository!.index(true).length;
  return [server, `${ready} of ${root} (${control})`];
}

/** A zoo name first, then a runtime that needs no file, then a path. */
export function modelArgument(text: string, name?: string, options: Readonly<Record<string, unknown>> = {}): ModelSpec {
  if (findModel(text)) return { zoo: text, options };
  if (text !== 'onnx' && runtimes.some((runtime) => runtime.name === text)) return { runtime: text, name, options };
  if (!/[./\\]/.test(text))
    throw new UserError({
      ...unknownName('MODEL', 'model', text, [...models, ...packagedModels, 'synthetic', 'null']),
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
