import { describe, expect, test } from 'vitest';
import { loadScenario } from '../../scenarios/load.js';
import { planFrom } from '../../scenarios/load-facts.js';
import { scaled } from '../../scenarios/scale.js';

const optionsOf = (file: string, load: string, scale?: string) =>
  scaled(loadScenario(`scenarios/${file}.yaml`), scale).loads.find(({ name }) => name === load)!.options;

describe('--scale', () => {
  test('4 makes a spike of 0.5 s at 4 s of 10 one of 2 s at 16 s of 40, no higher', () => {
    expect(optionsOf('test-spike', 'spike', '4')).toMatchObject({
      duration: 40e9,
      arrivalOptions: { height: 10, every: 40e9, at: 16e9, length: 2e9 },
    });
  });

  test('120 makes the soak test an hour, and 120 times as many requests of it', () => {
    const requests = (scale?: string) => {
      const options = { ...optionsOf('test-soak', 'day', scale), rate: 10 };
      const plan = planFrom({ type: 'open', options }, { schedule: '1', samples: '2' }, 'quick');
      return plan.mode === 'open' ? plan.dueNs.length : 0;
    };
    expect(optionsOf('test-soak', 'day', '120').duration).toBe(3600e9);
    expect([requests(), requests('120')]).toEqual([300, 36_000]);
  });

  test('leaves closed loops their concurrency, and everything where it is not given', () => {
    expect(optionsOf('test-scalability', 'users16', '0.5')).toMatchObject({ concurrency: 16, duration: 1e9 });
    const scenario = loadScenario('scenarios/test-load.yaml');
    expect(scaled(scenario, undefined)).toBe(scenario);
  });

  test.each(['0', 'much', '-1', '1e9'])('%s is refused', (text) => {
    expect(() => scaled(loadScenario('scenarios/test-load.yaml'), text)).toThrow(/--scale: .* is no factor/);
  });

  test('beyond the longest duration says where', () => {
    expect(() => scaled(loadScenario('scenarios/test-soak.yaml'), '10000')).toThrow(
      /--scale 10000, loads\.day: must be at most 24h/,
    );
  });
});
