import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nowNs } from '../../results/clock.js';
import { ProtocolError } from '../../servers/protocol/errors.js';
import type { InferenceService, InferOutcome, InferRequest } from '../../servers/protocol/index.js';
import { emptyTimings } from '../../servers/protocol/timings.js';
import { openRequestLog } from '../../servers/request-log.js';

const folder = mkdtempSync(join(tmpdir(), 'request-log-'));
const REQUEST: InferRequest = {
  modelName: 'm',
  id: 'a"b',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], data: new Uint8Array(16) }],
};
const OK: InferOutcome = {
  ok: true,
  response: { modelName: 'm', outputs: [] },
  timings: { ...emptyTimings(), queueNs: 1000, computeInferNs: 2000, batchSize: 3, executionId: 7 },
};

/** A core that answers at once, or leaves the request open. */
function core(outcome: InferOutcome | undefined): InferenceService {
  return {
    infer(_request: InferRequest, _receivedNs: number, done: (outcome: InferOutcome) => void) {
      if (outcome) done(outcome);
      return { cancel: () => {} };
    },
  } as unknown as InferenceService;
}

async function logged(
  count: number,
  options: { readonly sample?: number; readonly seed?: number; readonly bufferBytes?: number; readonly path?: string },
  given: InferOutcome | false = OK,
) {
  const outcome = given || undefined;
  const path = options.path ?? join(folder, `${++files}.jsonl`);
  const events: string[] = [];
  const log = openRequestLog({ ...options, path }, (text) => events.push(text));
  const service = log.over(core(outcome));
  for (let i = 0; i < count; i++) {
    const ticket = service.infer(REQUEST, nowNs() - 5000, () => {});
    if (!outcome) ticket.cancel();
  }
  const totals = await log.close();
  const text = path === '/dev/full' ? '' : readFileSync(path, 'utf8');
  const lines = text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { lines, totals, events };
}
let files = 0;
/** The client goes away before there is an answer. */
const NOTHING = false;

describe('the request log', () => {
  it('has one JSON line a request: when, what was asked, what became of it, where its time went', async () => {
    const { lines, totals, events } = await logged(3, {});
    expect(lines).toHaveLength(3);
    expect(lines[2]).toMatchObject({
      ...{ request: 2, id: 'a"b', model: 'm', outcome: 'ok', queueNs: 1000, computeInferNs: 2000 },
      ...{ batchSize: 3, executionId: 7, inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], bytes: 16 }] },
    });
    expect(Number(lines[0]!.totalNs)).toBeGreaterThanOrEqual(5000);
    expect(Date.parse(String(lines[0]!.time))).toBeGreaterThan(Date.now() - 60_000);
    expect(totals).toMatchObject({ requests: 3, lines: 3, dropped: 0 });
    expect(events).toEqual([expect.stringMatching(/3 lines of 3 requests, 0 dropped, .* µs each/)]);
  });

  it('tells refusals with their code, and clients that went away', async () => {
    const refused = await logged(1, {}, { ok: false, error: new ProtocolError('UNAVAILABLE', 'no room') });
    expect(refused.lines).toMatchObject([{ outcome: 'error', code: 'UNAVAILABLE', message: 'no room' }]);
    expect((await logged(1, {}, NOTHING)).lines).toMatchObject([{ outcome: 'cancelled' }]);
  });

  it('takes the asked share, the same requests for the same seed and others for another', async () => {
    const numbers = async (seed: number) =>
      (await logged(20_000, { sample: 0.01, seed })).lines.map((line) => line.request);
    const first = await numbers(1);
    // 200 ± 4 standard deviations.
    expect(Math.abs(first.length - 200)).toBeLessThan(57);
    expect(await numbers(1)).toEqual(first);
    expect(await numbers(2)).not.toEqual(first);
    expect((await logged(100, { sample: 0 })).totals).toMatchObject({
      requests: 100,
      lines: 0,
      microsecondsPerLine: null,
    });
  });

  it('drops what its buffer can’t hold, counts it and says so, and never waits', async () => {
    const { lines, totals, events } = await logged(1000, { bufferBytes: 10_000 });
    expect(totals.dropped).toBeGreaterThan(900);
    expect(lines.length + totals.dropped).toBe(1000);
    expect(totals.lines).toBe(lines.length);
    expect(events[0]).toContain('1 lines dropped: its buffer is full');
    expect(events.length).toBeLessThan(15);
  });

  it.runIf(process.platform === 'linux')(
    'counts lines that a full disk refuses as dropped, with the disk’s words',
    async () => {
      const { totals, events } = await logged(10, { path: '/dev/full' });
      expect(totals).toMatchObject({ lines: 0, dropped: 10 });
      expect(events[0]).toMatch(/10 lines dropped: .*(ENOSPC|no space)/i);
    },
  );

  it('that can’t be opened is the user’s error, with the path', () => {
    expect(() => openRequestLog({ path: '/no/such/folder/log' })).toThrow('/no/such/folder/log');
  });
});
