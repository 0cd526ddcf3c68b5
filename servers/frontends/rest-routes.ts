import type { IncomingMessage, ServerResponse } from 'node:http';
import { ProtocolError } from '../protocol/errors.js';
import { repositoryIndex } from './repository.js';
import type { Exchange } from './rest-exchange.js';
import { handleInfer } from './rest-infer.js';
import { replyError, replyJson, replyText } from './rest-reply.js';

type Handler = (exchange: Exchange) => void | Promise<void>;

/** Path, with `M` for a model with or without a version → method → handler. */
const ROUTES: Readonly<Record<string, Readonly<Record<string, Handler>>>> = {
  'v2/models/M/infer': { POST: handleInfer },
  v2: json(({ service }) => service.serverMetadata()),
  'v2/health/live': health(({ service }) => service.live(), 'live'),
  'v2/health/ready': health(({ service }) => service.ready(), 'ready'),
  'v2/models/stats': json(({ service }) => ({ model_stats: service.modelStatistics() })),
  'v2/models/M': json(({ service, model, version }) => service.modelMetadata(model, version)),
  'v2/models/M/ready': health(({ service, model, version }) => service.modelReady(model, version), 'ready'),
  'v2/models/M/config': json(({ service, model, version }) => service.modelConfig(model, version)),
  'v2/models/M/stats': json(({ service, model, version }) => ({
    model_stats: service.modelStatistics(model, version),
  })),
  'v2/repository/index': {
    POST: ({ service, request, response }) => {
      request.resume();
      replyJson(response, 200, repositoryIndex(service));
    },
  },
  metrics: { GET: replyMetrics },
};

/** Finds the handler of a request and calls it. Whatever is thrown becomes an error response. */
export function route(exchange: Omit<Exchange, 'model' | 'version'>): void {
  const { request, response } = exchange;
  try {
    const { key, model, version } = parsed(request.url ?? '/');
    const methods = ROUTES[key];
    if (methods === undefined || !Object.hasOwn(ROUTES, key))
      throw new ProtocolError(
        'NOT_FOUND',
        `there is nothing at ${request.url}; expected a path of KServe v2 or /metrics`,
      );
    const handler = methods[request.method ?? ''];
    if (handler === undefined) refuseMethod(request, response, Object.keys(methods));
    else {
      const { service, limits, metrics, receivedNs } = exchange;
      const handled = handler({ service, limits, metrics, request, response, receivedNs, model, version });
      if (handled) handled.catch((error: unknown) => replyError(response, error));
    }
  } catch (error) {
    request.resume();
    replyError(response, error);
  }
}

interface ParsedPath {
  readonly key: string;
  readonly model: string;
  readonly version: string | undefined;
}

/** Clients ask for the same few paths again and again. */
const recent = new Map<string, ParsedPath>();
const RECENT = 64;

function parsed(url: string): ParsedPath {
  const known = recent.get(url);
  if (known !== undefined) return known;
  const path = parsePath(url);
  if (recent.size >= RECENT) recent.clear();
  recent.set(url, path);
  return path;
}

/** `/v2/models/a/versions/1/infer?x` → `v2/models/M/infer`, `a`, `1`. */
function parsePath(url: string): ParsedPath {
  const query = url.indexOf('?');
  const segments = (query < 0 ? url : url.slice(0, query)).split('/').filter((segment) => segment !== '');
  const [first, second, model, versions, version] = segments;
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

function json(answer: (exchange: Exchange) => unknown): Readonly<Record<string, Handler>> {
  return { GET: (exchange) => replyJson(exchange.response, 200, answer(exchange)) };
}

/** 200 or 503; clients look at the status, people at the body. */
function health(check: (exchange: Exchange) => boolean, word: string): Readonly<Record<string, Handler>> {
  return {
    GET: (exchange) => {
      const well = check(exchange);
      replyJson(exchange.response, well ? 200 : 503, { [word]: well });
    },
  };
}

async function replyMetrics({ metrics, response }: Exchange): Promise<void> {
  if (metrics === undefined) throw new ProtocolError('NOT_FOUND', 'this server was started without metrics');
  replyText(response, 200, 'text/plain; version=0.0.4; charset=utf-8', await metrics());
}

function refuseMethod(request: IncomingMessage, response: ServerResponse, allowed: readonly string[]): void {
  request.resume();
  response.setHeader('Allow', allowed.join(', '));
  const body = JSON.stringify({
    error: `method ${request.method} at ${request.url}; expected ${allowed.join(' or ')}`,
  });
  response.statusCode = 405;
  response.setHeader('Content-Type', 'application/json');
  response.end(body);
}
