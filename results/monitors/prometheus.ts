import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { z } from 'zod';
import { messageOf } from '../errors.js';
import type { MonitorContext, MonitorDefinition, Writer } from './contract.js';
import { parsePrometheus } from './prometheus-text.js';

const MOST_BYTES = 8 * 1024 ** 2;
const TIMEOUT_MS = 2000;

/**
 * Any server's page of figures in the Prometheus text format, so that its own counters (Triton's, vLLM's, ours) stand beside
 * what was measured from outside. Every scrape is a request that the server answers: once a second unless asked otherwise,
 * and never a second one while the first is under way. Source: Prometheus exposition formats; Triton "Metrics".
 */
export const prometheus = {
  name: 'prometheus',
  summary: 'counters and gauges of any server’s /metrics page (Prometheus text format), Triton’s among them',
  options: z.strictObject({
    url: z.url().optional().describe('of the page; default: /metrics of the server under test, where it speaks HTTP'),
    metrics: z.array(z.string()).min(1).optional().describe('names, * for any end; default: all but histogram buckets'),
    period: z.number().int().min(10).default(1000).describe('ms between two scrapes; never less than monitorPeriod'),
    subject: z.string().default('metrics').describe('how the target is called among the readings'),
  }),
  byDefault: false,
  unavailable: () => undefined,
  start(context) {
    const { options, charged, failed } = context;
    const take = taker(context);
    let url = options.url as string | undefined;
    let scrapedAt = Number.NEGATIVE_INFINITY;
    let running: Promise<void> | undefined;
    const scrape = async (): Promise<void> => {
      try {
        const page = await get(url!, AbortSignal.timeout(TIMEOUT_MS));
        charged(() => take.page(page));
      } catch (error) {
        take.gap(`${url} can't be read: ${messageOf(error)}`);
      } finally {
        running = undefined;
      }
    };
    return {
      needsUrl: url === undefined,
      watch(target) {
        if (target.role === 'server' && target.url !== undefined) url ??= new URL('/metrics', target.url).href;
      },
      mark() {
        // The window's edge wants a reading of its own.
        scrapedAt = Number.NEGATIVE_INFINITY;
      },
      sample() {
        if (url === undefined || running || performance.now() - scrapedAt < (options.period as number)) return;
        scrapedAt = performance.now();
        running = scrape();
      },
      async stop() {
        if (url === undefined) failed('the server under test has no address over HTTP; name one: url');
        else {
          // One reading behind the window's end, so that its edge lies between two.
          await running;
          await scrape();
        }
        return {};
      },
    };
  },
} as const satisfies MonitorDefinition;

/** Writes a page's samples; a gap goes to every series that has been seen. */
function taker({ options, series }: MonitorContext): { page(text: string): void; gap(reason: string): void } {
  const patterns = (options.metrics as readonly string[] | undefined)?.map(patternOf);
  const wanted = (name: string) =>
    patterns ? patterns.some((pattern) => pattern.test(name)) : !name.endsWith('_bucket');
  const subject = String(options.subject);
  const writers = new Map<string, Writer>();
  return {
    page(text) {
      for (const { name, labels, value, kind } of parsePrometheus(text, wanted)) {
        const metric = name + labels;
        const write = writers.get(metric) ?? series(subject, metric, unitOf(name), kind);
        writers.set(metric, write);
        if (Number.isFinite(value)) write(value);
        else write(null, `the page says ${value}`);
      }
    },
    gap(reason) {
      if (writers.size === 0) writers.set('up', series(subject, 'up', 'count', 'gauge'));
      for (const write of writers.values()) write(null, reason);
    },
  };
}

/** By Prometheus' naming: a name ends with its unit. */
function unitOf(name: string): string {
  const unit = /_(seconds|bytes|us|ns|ms|celsius|joules|watts|ratio)(?:_total|_sum)?$/.exec(name)?.[1];
  return unit ?? '';
}

function patternOf(text: string): RegExp {
  const parts = text.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`);
}

function get(url: string, signal: AbortSignal): Promise<string> {
  const ask = url.startsWith('https:') ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const headers = { accept: 'text/plain;version=0.0.4' };
    const call = ask(url, { signal, headers }, (response) => {
      if (response.statusCode !== 200) {
        response.resume();
        reject(new Error(`HTTP status ${response.statusCode}`));
        return;
      }
      const parts: Buffer[] = [];
      let bytes = 0;
      response.on('error', reject);
      response.on('data', (part: Buffer) => {
        bytes += part.length;
        if (bytes > MOST_BYTES) call.destroy(new Error(`the page is longer than ${MOST_BYTES} bytes`));
        else parts.push(part);
      });
      response.on('end', () => resolve(Buffer.concat(parts).toString('utf8')));
    });
    call.on('error', reject);
    call.end();
  });
}
