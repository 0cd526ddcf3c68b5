import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { energyUsage } from '../../results/energy.js';
import { counterAt, course, Readings, type Series } from '../../results/readings.js';
import { readReadings, writeReadings } from '../../results/readings-arrow.js';
import { summariseReadings } from '../../results/readings-summary.js';

const CPU: Series = { source: 'proc', subject: 'server', metric: 'cpu', unit: 's', kind: 'counter' };
const HEAT: Series = { source: 'nvml', subject: 'gpu0', metric: 'temperature', unit: '°C', kind: 'gauge' };
const ENERGY: Series = { source: 'nvml', subject: 'gpu0', metric: 'energy', unit: 'J', kind: 'counter' };

/** Rows `[ms, value or the reason of a gap]` of one series. */
function readingsOf(
  ...all: (readonly [Series, readonly (readonly [ms: number, value: number | string])[]])[]
): Readings {
  const readings = new Readings();
  for (const [series, rows] of all)
    for (const [ms, value] of rows)
      if (typeof value === 'number') readings.add(readings.open(series), ms * 1e6, value);
      else readings.add(readings.open(series), ms * 1e6, null, value);
  return readings;
}

describe('a course', () => {
  it('of a counter is its growth a second: 0.05 s of CPU time in 100 ms is half a core', () => {
    const readings = readingsOf([
      CPU,
      [
        [0, 1],
        [100, 1.05],
        [200, 1.15],
      ],
    ]);
    expect(course(readings, CPU).map(({ value }) => value?.toFixed(3))).toEqual(['0.500', '1.000']);
  });

  it('keeps gaps and set-backs as gaps with their reasons', () => {
    const readings = readingsOf([
      CPU,
      [
        [0, 1],
        [100, 'lost'],
        [200, 2],
        [300, 0.5],
        [400, 1.5],
      ],
    ]);
    expect(course(readings, CPU)).toEqual([
      { atNs: 100e6, value: null, reason: 'lost' },
      { atNs: 200e6, value: null, reason: 'lost' },
      { atNs: 300e6, value: null, reason: 'the counter was set back' },
      { atNs: 400e6, value: 10 },
    ]);
  });

  it('of a gauge is what was read', () => {
    expect(
      course(
        readingsOf([
          HEAT,
          [
            [0, 40],
            [100, 41],
          ],
        ]),
        HEAT,
      ),
    ).toEqual([
      { atNs: 0, value: 40 },
      { atNs: 100e6, value: 41 },
    ]);
  });
});

describe('a counter at an instant', () => {
  const points = readingsOf([
    CPU,
    [
      [0, 10],
      [100, 20],
    ],
  ]).points(CPU);
  it('lies on the line between its neighbours', () => expect(counterAt(points, 25e6).value).toBe(12.5));
  it('is null with a reason where a neighbour is missing', () =>
    expect(counterAt(points, 101e6)).toMatchObject({ value: null, reason: expect.stringContaining('both sides') }));
});

describe('the summary of readings', () => {
  it('is of the window: what was read before and after does not count', () => {
    const readings = readingsOf(
      [
        HEAT,
        [
          [-50, 90],
          [0, 40],
          [50, 60],
          [100, 50],
          [150, 99],
        ],
      ],
      [
        CPU,
        [
          [-50, 0],
          [50, 1],
          [150, 3],
        ],
      ],
    );
    const [heat, cpu] = summariseReadings(readings, { fromNs: 0, toNs: 100e6 });
    expect(heat).toMatchObject({ count: 3, gaps: 0, mean: 50, min: 40, max: 60, total: null });
    // 0.5 at 0, 2 at 100 ms: 1.5 s in 0.1 s.
    expect(cpu).toMatchObject({ total: 1.5, min: null });
    expect(cpu!.mean).toBeCloseTo(15, 9);
  });

  it('has null and the reason where nothing was read', () => {
    const readings = readingsOf([HEAT, [[0, 'not supported by this device']]]);
    expect(summariseReadings(readings, { fromNs: 0, toNs: 1e9 })).toMatchObject([
      { mean: null, count: 0, gaps: 1, reason: 'not supported by this device' },
    ]);
  });
});

describe('energy', () => {
  // 50 W idle until 0, then 250 W.
  const readings = readingsOf([
    ENERGY,
    [
      [-2000, 0],
      [-1000, 50],
      [0, 100],
      [1000, 350],
      [2000, 600],
    ],
  ]);
  readings.idle = { fromNs: -2e9, toNs: -0.5e9 };

  it('is the counter’s growth between the window’s edges, less the idle power: 500 J − 2 s × 50 W over 100 requests', () => {
    expect(energyUsage(readings, { fromNs: 0, toNs: 2e9 }, 100)).toEqual([
      { subject: 'gpu0', joules: 500, idleWatts: 50, netJoules: 400, joulesPerRequest: 4 },
    ]);
  });

  it('is told at edges between readings too', () =>
    expect(energyUsage(readings, { fromNs: 0.5e9, toNs: 1.5e9 }, 1)).toMatchObject([{ joules: 250, netJoules: 200 }]));

  it('is null with the device’s own reason where it has no counter', () =>
    expect(
      energyUsage(
        readingsOf([
          ENERGY,
          [
            [0, 'not supported by this device'],
            [100, 'not supported by this device'],
          ],
        ]),
        { fromNs: 0, toNs: 50e6 },
        1,
      ),
    ).toEqual([
      {
        subject: 'gpu0',
        joules: null,
        idleWatts: null,
        netJoules: null,
        joulesPerRequest: null,
        reason: 'not supported by this device',
      },
    ]));

  it('is null where the device was lost before the end', () =>
    expect(
      energyUsage(
        readingsOf([
          ENERGY,
          [
            [0, 1],
            [100, 2],
            [200, 'the GPU is lost'],
          ],
        ]),
        { fromNs: 0, toNs: 150e6 },
        1,
      ),
    ).toMatchObject([{ joules: null, reason: 'the GPU is lost' }]));

  it('has no figure a request without an idle measurement', () =>
    expect(
      energyUsage(
        readingsOf([
          ENERGY,
          [
            [0, 1],
            [100, 2],
          ],
        ]),
        { fromNs: 0, toNs: 100e6 },
        5,
      ),
    ).toMatchObject([{ joules: 1, netJoules: null, joulesPerRequest: null, reason: expect.stringContaining('idle') }]));
});

describe('the file of readings', () => {
  const folder = mkdtempSync(join(tmpdir(), 'readings-'));
  const path = join(folder, 'readings.arrow');

  it('gives back what was written: times since t = 0, gaps, reasons, the idle span', () => {
    const readings = readingsOf(
      [
        CPU,
        [
          [0, 1],
          [100, 2],
        ],
      ],
      [HEAT, [[50, 'lost']]],
    );
    readings.idle = { fromNs: 10e6, toNs: 20e6 };
    readings.shift(60e6);
    writeReadings(path, readings);
    const back = readReadings(path)!;
    expect(back.series).toEqual([CPU, HEAT]);
    expect(back.points(CPU)).toEqual([
      { atNs: -60e6, value: 1 },
      { atNs: 40e6, value: 2 },
    ]);
    expect(back.points(HEAT)).toEqual([{ atNs: -10e6, value: null, reason: 'lost' }]);
    expect(back.idle).toEqual({ fromNs: -50e6, toNs: -40e6 });
  });

  it('is long form that any Arrow reader opens, null where there is a gap', () => {
    const table = tableFromIPC(readFileSync(path));
    expect(table.schema.fields.map(({ name }) => name)).toEqual([
      'atNs',
      'source',
      'subject',
      'metric',
      'unit',
      'kind',
      'value',
      'reason',
    ]);
    expect(table.get(2)!.toJSON()).toMatchObject({
      source: 'nvml',
      subject: 'gpu0',
      metric: 'temperature',
      value: null,
      reason: 'lost',
    });
  });

  it('holds a long trial: 200,000 rows come back', () => {
    const readings = new Readings();
    const cpu = readings.open(CPU);
    for (let row = 0; row < 200_000; row++) readings.add(cpu, row, row / 2);
    writeReadings(path, readings);
    expect(readReadings(path)!.points(CPU).at(-1)).toEqual({ atNs: 199_999, value: 99_999.5 });
  });

  it('that is none is refused with its path; one that is not there is no readings', () => {
    expect(readReadings(join(folder, 'absent.arrow'))).toBeUndefined();
    writeFileSync(path, 'nonsense');
    expect(() => readReadings(path)).toThrow(path);
  });
});
