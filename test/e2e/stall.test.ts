import { join } from 'node:path';
import { expect, test } from 'vitest';
import { serve, servemark } from './cli.js';
import { workFolder } from './folders.js';

const SLOW = process.env.SERVEMARK_SLOW === '1';
if (!SLOW) console.log('skipped: the stall test for real takes half a minute (SERVEMARK_SLOW=1 runs it)');

const folder = workFolder('stall');

/**
 * At a constant 200/s a server that stands still for the last second of every ten keeps a tenth of all requests waiting for
 * 0 … 1000 ms, evenly spread: the slowest hundredth of all are those that wait for 900 ms and more.
 */
test.skipIf(!SLOW)(
  'a server that stalls for 1 s in every 10 s shows a p99 of 900 ms at a constant 200/s',
  async () => {
    const stalls = ['cost=[[1,"100us"]]', 'stall={"every":"10s","for":"1s"}'];
    const server = await serve(['synthetic', '--model-set', ...stalls]);
    const load = [
      '--load',
      'open',
      '--arrivals',
      'constant',
      '--rate',
      '200/s',
      '--duration',
      '30s',
      '--warm-up',
      '500ms',
    ];
    const args = ['drive', server.restUrl, '--model', 'synthetic', ...load, '--out', join(folder, 'runs'), '--json'];
    const { code, stdout, stderr } = await servemark(args);
    await server.stop();
    expect(code, stderr).toBe(0);
    const { completed, latencyNs } = JSON.parse(stdout) as { completed: number; latencyNs: Record<string, number> };
    console.log(
      `p50 ${ms(latencyNs.p50)}, p95 ${ms(latencyNs.p95)}, p99 ${ms(latencyNs.p99)}, max ${ms(latencyNs.max)}`,
    );
    expect(completed).toBe(6000);
    expect(latencyNs.p50! / 1e6).toBeLessThan(50);
    expect(latencyNs.p99! / 1e6).toBeGreaterThan(900 * 0.95);
    expect(latencyNs.p99! / 1e6).toBeLessThan(900 * 1.05);
  },
  90_000,
);

function ms(ns: number | undefined): string {
  return `${((ns ?? Number.NaN) / 1e6).toFixed(1)} ms`;
}
