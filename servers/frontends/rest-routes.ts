import { ProtocolError } from '../protocol/errors.js';
import type { InferenceService } from '../protocol/index.js';
import type { HttpExchange } from './http1-connection.js';
import { repositoryIndex, repositoryOf } from './repository.js';
import type { Handler, RestContext, Target } from './rest-exchange.js';
import { handleInfer } from './rest-infer.js';
import { replyError, replyJson, replyText } from './rest-reply.js';

/** Path, with `M` for a model with or without a version → method → handler. What answers GET answers HEAD. */
const ROUTES: Readonly<Record<string, Readonly<Record<string, Handler>>>> = {
  'v2/models/M/infer': { POST: handleInfer },
  v2: json((service) => service.serverMetadata()),
  'v2/health/live': health((service) => service.live(), 'live'),
  'v2/health/ready': health((service) => service.ready(), 'ready'),
  'v2/models/stats': json((service) => ({ model_stats: service.modelStatistics() })),
  'v2/models/M': json((service, { model, version }) => service.modelMetadata(model, version)),
  'v2/models/M/ready': health((service, { model, version }) => service.modelReady(model, version), 'ready'),
  'v2/models/M/config': json((service, { model, version }) => service.modelConfig(model, version)),
  'v2/models/M/stats': json((service, { model, version }) => ({
    model_stats: service.modelStatistics(model, version),
  })),
  'v2/models/M/feedback': answering((service, { model }, { id, label }) => {
    if (typeof id !== 'string' || typeof label !== 'number')
      throw new ProtocolError(
        'INVALID_ARGUMENT',
        'feedback is {"id": TEXT, "label": NUMBER}: a request’s id, its right class',
      );
    if (service.feedback === undefined) throw new ProtocolError('UNIMPLEMENTED', 'this server learns from no feedback');
    service.feedback(model, id, label);
    return {};
  }),
  'v2/repository/index': answering((service, _, { ready }) => repositoryIndex(service, ready === true)),
  'v2/repository/models/M/load': answering(async (service, { model }, { parameters }) => {
    await repositoryOf(service).load(model, isObject(parameters) ? parameters : {});
    return {};
  }),
  'v2/repository/models/M/unload': answering(async (service, { model }) => {
    await repositoryOf(service).unload(model);
    return {};
  }),
  metrics: { GET: replyMetrics },
};

/** Finds the handler of a request and calls it. Whatever is thrown becomes an error response. */
export function route(context: RestContext, exchange: HttpExchange): void {
  const { method, target } = exchange.head;
  try {
    const path = parsed(target);
    const methods = ROUTES[path.key];
    if (methods === undefined || !Object.hasOwn(ROUTES, path.key))
      throw new ProtocolError('NOT_FOUND', `there is nothing at ${target}; expected a path of KServe v2 or /metrics`);
    const handler = methods[method === 'HEAD' ? 'GET' : method];
    if (handler === undefined) refuseMethod(exchange, Object.keys(methods));
    else handler(context, exchange, path)?.catch((error: unknown) => replyError(exchange, error));
  } catch (error) {
    replyError(exchange, error);
  }
}

interface ParsedPath extends Target {
  readonly key: string;
}

/** Clients ask for the same few paths again and again. */
const recent = new Map<string, ParsedPath>();
const RECENT = 64;

function parsed(target: string): ParsedPath {
  const known = recent.get(target);
  if (known !== undefined) return known;
  const path = parsePath(target);
  if (recent.size >= RECENT) recent.clear();
  recent.set(target, path);
  return path;
}

/** `/v2/models/a/versions/1/infer?x`, also behind `http://host` → `v2/models/M/infer`, `a`, `1`. */
function parsePath(target: string): ParsedPath {
  const path = target.replace(/^https?:\/\/[^/?]*/i, '').replace(/\?.*$/, '');
  const segments = path.split('/').filter((segment) => segment !== '');
  const [first, second, model, versions, version] = segments;
  if (first === 'v2' && second === 'repository' && model === 'models' && versions !== undefined)
    return {
      key: ['v2', 'repository', 'models', 'M', ...segments.slice(4)].join('/'),
      model: decodeSegment(versions),
      version: undefined,
    };
  const plain = first !== 'v2' || second !== 'models' || model === undefined;
  if (plain || (model === 'stats' && segments.length === 3))
    return { key: segments.join('/'), model: '', version: undefined };
  const hasVersion = versions === 'versions' && version !== undefined;
  const rest = segments.slice(hasVersion ? 5 : 3);
  return {
    key: ['v2', 'models', 'M', ...rest].join('/'),
    model: decodeSegment(model),
    version: hasVersion ? decodeSegment(version) : undefined,
  };
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new ProtocolError('INVALID_ARGUMENT', `the path's "${segment}" is not valid percent-encoding`);
  }
}

function json(answer: (service: InferenceService, target: Target) => unknown): Readonly<Record<string, Handler>> {
  return { GET: ({ service }, exchange, target) => replyJson(exchange, 200, answer(service, target)) };
}

type Json = Readonly<Record<string, unknown>>;

/** POST of a small JSON object, or of nothing. */
function answering(
  answer: (service: InferenceService, target: Target, body: Json) => unknown,
): Readonly<Record<string, Handler>> {
  return {
    POST: async ({ service }, exchange, target) => {
      const body = jsonOf(exchange.bytes);
      exchange.giveBack();
      replyJson(exchange, 200, await answer(service, target, body));
    },
  };
}

function jsonOf(bytes: Buffer): Json {
  try {
    const value: unknown = bytes.length === 0 ? {} : JSON.parse(bytes.toString('utf8'));
    if (isObject(value)) return value;
  } catch {
    // Told below.
  }
  throw new ProtocolError('INVALID_ARGUMENT', 'the body is no JSON object; expected one, or none');
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** 200 or 503; clients look at the status, people at the body. */
function health(
  check: (service: InferenceService, target: Target) => boolean,
  word: string,
): Readonly<Record<string, Handler>> {
  return {
    GET: ({ service }, exchange, target) => {
      const well = check(service, target);
      replyJson(exchange, well ? 200 : 503, { [word]: well });
    },
  };
}

async function replyMetrics({ metrics }: RestContext, exchange: HttpExchange): Promise<void> {
  if (metrics === undefined) throw new ProtocolError('NOT_FOUND', 'this server was started without metrics');
  replyText(exchange, 200, 'text/plain; version=0.0.4; charset=utf-8', await metrics());
}

function refuseMethod(exchange: HttpExchange, allowed: readonly string[]): void {
  const { method, target } = exchange.head;
  const error = `method ${method} at ${target}; expected ${allowed.join(' or ')}`;
  const list = allowed.includes('GET') ? [...allowed, 'HEAD'] : allowed;
  replyJson(exchange, 405, { error }, `Allow: ${list.join(', ')}\r\n`);
}
