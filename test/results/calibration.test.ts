import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  addToCalibration,
  type CalibrationPoint,
  calibrationPath,
  type HostFingerprint,
  readCalibration,
  rooflineOf,
} from '../../results/calibration.js';

const folder = mkdtempSync(join(tmpdir(), 'calibration-'));
afterAll(() => rmSync(folder, { recursive: true }));

const HOST: HostFingerprint = { cpu: 'Z80', logicalCores: 2, kernel: '6', node: 'v20', servemark: '1' };

function point(changes: Partial<CalibrationPoint>): CalibrationPoint {
  return {
    ...{ transport: 'rest-binary', requestBytes: 100, processes: 1, openPerSecond: 10_000, latenessP99Ns: 3e5 },
    ...{ cores: 0.5, closedPerSecond: 20_000, capturedAt: '2026-01-01T00:00:00.000Z', ...changes },
  };
}

describe('a calibration', () => {
  test('is kept for one host: another processor, kernel, Node or version has its own', () => {
    addToCalibration(folder, HOST, [point({})]);
    expect(readCalibration(folder, HOST)!.points).toEqual([point({})]);
    for (const change of [{ cpu: 'Z81' }, { logicalCores: 3 }, { kernel: '7' }, { node: 'v22' }, { servemark: '2' }])
      expect(readCalibration(folder, { ...HOST, ...change })).toBeUndefined();
  });

  test('grows by points; one of the same transport, size and processes takes the older one’s place', () => {
    const host = { ...HOST, cpu: '6502' };
    addToCalibration(folder, host, [point({}), point({ requestBytes: 200 })]);
    addToCalibration(folder, host, [point({ openPerSecond: 5 }), point({ processes: 2 })]);
    expect(readCalibration(folder, host)!.points).toEqual([
      point({ requestBytes: 200 }),
      point({ openPerSecond: 5 }),
      point({ processes: 2 }),
    ]);
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('of another version of the format, or broken, is none', () => {
    const host = { ...HOST, cpu: '6800' };
    writeFileSync(calibrationPath(folder, host), JSON.stringify({ schema: 99, host, points: [] }));
    expect(readCalibration(folder, host)).toBeUndefined();
    writeFileSync(calibrationPath(folder, host), '{"schema": 1');
    expect(readCalibration(folder, host)).toBeUndefined();
  });
});

describe('the roofline of a load', () => {
  const load = { transport: 'rest-binary', requestBytes: 100, processes: 1, unscheduled: false };
  const calibration = {
    schema: 1,
    host: HOST,
    points: [point({}), point({ requestBytes: 1100, openPerSecond: 5000, closedPerSecond: 4000 })],
  };
  const perSecond = (changes: Partial<typeof load>) => rooflineOf(calibration, { ...load, ...changes }).perSecond;

  test('interpolates the time of a request: 100 µs at 100 bytes and 200 µs at 1,100 are 150 µs at 600', () => {
    expect(perSecond({})).toBeCloseTo(10_000);
    expect(perSecond({ requestBytes: 600 })).toBeCloseTo(1e6 / 150);
    expect(perSecond({ requestBytes: 1100 })).toBeCloseTo(5000);
  });

  test('goes on beyond the largest size, and is the smallest’s below it', () => {
    expect(perSecond({ requestBytes: 2100 })).toBeCloseTo(1e6 / 300);
    expect(perSecond({ requestBytes: 4 })).toBeCloseTo(10_000);
  });

  test('of a closed loop is what a closed loop reached', () => {
    expect(perSecond({ unscheduled: true })).toBeCloseTo(20_000);
  });

  test('is not guessed: no calibration, another transport, more processes, larger requests than the only size', () => {
    const reason = (known: typeof calibration | undefined, changes: Partial<typeof load>) => {
      const found = rooflineOf(known, { ...load, ...changes });
      return found.perSecond === null ? found.reason : found.perSecond;
    };
    expect(reason(undefined, {})).toBe('not calibrated');
    expect(reason(calibration, { transport: 'grpc' })).toBe('not calibrated for grpc');
    expect(reason(calibration, { processes: 2 })).toBe('not calibrated for rest-binary with 2 load processes');
    expect(reason({ ...calibration, points: [point({})] }, { requestBytes: 101 })).toBe(
      'calibrated up to 100 bytes a request only',
    );
  });
});
