import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { UserError } from '../../results/errors.js';
import { loadScenario, parseRelativeRate } from '../../scenarios/load.js';

const folder = mkdtempSync(join(tmpdir(), 'servemark-load-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** The problems as text, the folder cut off. */
function problems(text: string): string[] {
  try {
    loadScenario(write('x.yaml', text));
  } catch (error) {
    if (error instanceof UserError) return error.message.replaceAll(`${folder}/`, '').split('\n');
    throw error;
  }
  return [];
}

const GOOD = `schema: 1
question: Which is better?
model: { runtime: synthetic }
systems:
  serial: { strategy: serial }
  batching: { strategy: triton-dynamic, maxBatchSize: 8, maxQueueDelay: 1ms }
loads:
  alone: { type: single-stream, duration: 1s }
  half: { type: server, rate: 50% of serial }
transports: [rest-binary]
`;

describe('a scenario file', () => {
  test('becomes systems, loads and targets with units read', () => {
    const scenario = loadScenario(write('good.yaml', `${GOOD}targets: { p99Latency: 20ms, errorRate: 0.1% }\n`));
    expect(scenario.systems.map((system) => system.name)).toEqual(['serial', 'batching']);
    expect(scenario.targets).toEqual({ p99LatencyNs: 20e6, errorRate: 0.001, accuracy: undefined });
    expect(scenario.loads[1]!.relativeRate).toEqual({
      key: 'rate',
      factor: 0.5,
      system: 'serial',
      transport: undefined,
    });
    expect(scenario.seeds).toEqual({ schedule: '1', samples: '2', order: '3', bootstrap: '4' });
  });

  test('tells all problems at once, each with line and column, what is allowed and what was meant', () => {
    const found = problems(`schema: 1
question: Which?
model: { runtime: synthetic }
systems:
  a: { strategy: triton }
  b: { strategy: triton-dynamic, maxBatchSiz: 8 }
  c: { strategy: serial, instances: 0 }
loads:
  x: { type: server, rate: 5 }
  y: { type: opne }
  z: { type: server, rate: 50% of nobody }
  w: { type: server, rate: fast }
transports: [rest, http]
`);
    expect(found).toHaveLength(7);
    expect(found[0]).toMatch(
      /^x\.yaml:5:18 systems\.a\.strategy: there is no strategy "triton"\. Allowed: .*triton-dynamic/,
    );
    expect(found[1]).toMatch(
      /^x\.yaml:6:34 systems\.b\.maxBatchSiz: unknown key "maxBatchSiz"\. .*Did you mean "maxBatchSize"\?/,
    );
    expect(found[2]).toMatch(/^x\.yaml:7:37 systems\.c\.instances: 0 is too small\. Allowed: at least 1/);
    expect(found[3]).toMatch(/^x\.yaml:10:14 loads\.y\.type: there is no load type "opne"\. .*Did you mean "open"\?/);
    expect(found[4]).toMatch(/^x\.yaml:12:28 loads\.w\.rate: "fast" must be a rate with its unit/);
    expect(found[5]).toMatch(/^x\.yaml:13:20 transports\.1: there is no transport "http"/);
    expect(found[6]).toMatch(/^x\.yaml:11:28 loads\.z\.rate: there is no system "nobody"\. Allowed: a, b, c/);
  });

  test('that is no YAML is refused with the place', () => {
    expect(problems('schema: 1\n  question: [')[0]).toMatch(/^x\.yaml:\d+:\d+: is not YAML/);
  });

  test('that is empty is refused', () => {
    expect(problems('')[0]).toMatch(/holds no map of keys/);
  });

  test('that misses what it needs says what', () => {
    const found = problems('schema: 1\n');
    expect(found.some((line) => line.includes('question: is missing'))).toBe(true);
    expect(found.some((line) => line.includes('systems: is missing'))).toBe(true);
  });

  test('of a future schema is refused', () => {
    expect(problems(GOOD.replace('schema: 1', 'schema: 2'))[0]).toMatch(
      /x\.yaml:1:9 schema: 2 is not allowed here\. Allowed: 1/,
    );
  });

  test('extends another: the nearer file wins, null removes, and a problem is placed in the file that has it', () => {
    write('base.yaml', GOOD);
    const scenario = loadScenario(
      write(
        'child.yaml',
        'extends: ./base.yaml\nquestion: And now?\nsystems:\n  batching: null\n  two: { strategy: instance-group, instances: 3 }\n',
      ),
    );
    expect(scenario.question).toBe('And now?');
    expect(scenario.systems.map(({ name, instances }) => [name, instances])).toEqual([
      ['serial', 1],
      ['two', 3],
    ]);
    write('bad-base.yaml', GOOD.replace('maxBatchSize: 8', 'maxBatchSize: none'));
    expect(problems('extends: ./bad-base.yaml\nquestion: Now?\n')[0]).toMatch(
      /^bad-base\.yaml:6:55 systems\.batching\.maxBatchSize/,
    );
  });

  test('that extends itself is refused', () => {
    write('loop.yaml', 'extends: ./x.yaml\n');
    expect(problems('extends: ./loop.yaml\n')[0]).toMatch(/extends itself through x\.yaml → loop\.yaml → x\.yaml/);
  });

  test('tells where an option of an arrival process goes', () => {
    const burst = GOOD.replace(
      /loads:\n(?: {2}.*\n)+/,
      'loads:\n  x: { type: open, rate: 5/s, arrivals: gamma, cv: 3 }\n',
    );
    expect(problems(burst)).toEqual([
      expect.stringMatching(/loads\.x\.cv: unknown key "cv"\..* arrivals gamma: write arrivalOptions: \{ cv: … \}\.$/),
    ]);
  });

  test('spreads a sweep into every combination, instances among them', () => {
    const scenario = loadScenario(
      write(
        'sweep.yaml',
        GOOD.replace('maxBatchSize: 8, maxQueueDelay: 1ms', 'sweep: { maxBatchSize: [4, 8], instances: [1, 2] }'),
      ),
    );
    expect(scenario.systems.map((system) => system.name)).toEqual([
      'serial',
      'batching maxBatchSize=4 instances=1',
      'batching maxBatchSize=4 instances=2',
      'batching maxBatchSize=8 instances=1',
      'batching maxBatchSize=8 instances=2',
    ]);
  });

  test('says how many load processes share a load, and refuses what can’t be shared', () => {
    const scenario = loadScenario(
      write('many.yaml', `${GOOD.replace('rate: 50%', 'loadProcesses: 4, rate: 50%')}loadProcesses: 2\n`),
    );
    expect([scenario.loadProcesses, scenario.loads[0]!.processes, scenario.loads[1]!.processes]).toEqual([
      2,
      undefined,
      4,
    ]);
    expect(problems(GOOD.replace('duration: 1s', 'loadProcesses: 2'))).toEqual([
      'x.yaml:8:48 loads.alone.loadProcesses: 2 load processes for a load with at most 1 in flight. Allowed: at most 1.',
    ]);
    expect(problems(`${GOOD.replace('[rest-binary]', '[in-process]')}loadProcesses: 3\n`)).toEqual([
      'x.yaml:11:16 loadProcesses: 3 load processes, but in-process load and server are one process. Allowed: 1 with the transport in-process. Leave loadProcesses out, or in-process out of transports.',
    ]);
    expect(problems(`${GOOD}loadProcesses: 0\n`)[0]).toMatch(/loadProcesses: 0 is too small/);
  });

  test('keeps 64-bit seeds exact', () => {
    const scenario = loadScenario(write('seeds.yaml', `${GOOD}seeds: { schedule: "16159082839903944936" }\n`));
    expect(scenario.seeds.schedule).toBe('16159082839903944936');
    expect(problems(`${GOOD}seeds: { schedule: 16159082839903944936 }\n`).join()).toMatch(/seeds\.schedule/);
  });
});

test('a relative rate names factor, system and perhaps transport', () => {
  expect(parseRelativeRate('150% of serial')).toEqual({ factor: 1.5, system: 'serial', transport: undefined });
  expect(parseRelativeRate('50% of batching maxBatchSize=4 on rest-binary')).toEqual({
    factor: 0.5,
    system: 'batching maxBatchSize=4',
    transport: 'rest-binary',
  });
  expect(parseRelativeRate('400/s')).toBeUndefined();
});

describe('an external system', () => {
  const external = (keys: string) => `${GOOD.replace('systems:', `systems:\n  theirs: { external: { ${keys} } }`)}`;

  test('has its working folder beside the scenario, its defaults, and no strategy', () => {
    const keys = "start: [./server, --port, '{port}'], url: 'http://127.0.0.1:{port}', model: m, cwd: sub";
    const [theirs] = loadScenario(write('external.yaml', external(keys))).systems;
    expect(theirs!.external).toMatchObject({
      cwd: join(folder, 'sub'),
      stop: 'SIGTERM',
      readyTimeoutNs: 120e9,
      stopTimeoutNs: 10e9,
    });
    expect(theirs!.strategy).toEqual({ name: 'external', options: {} });
    expect(theirs!.summary).toBe('external: ./server --port {port}');
  });

  test('is refused without an address, without a model, with unknown keys', () => {
    expect(problems(external('start: [x], model: m')).join()).toMatch(
      /theirs\.external.* needs a url or a grpc address/,
    );
    expect(problems(external('url: "http://127.0.0.1:1"')).join()).toMatch(/theirs\.external\.model: is missing/);
    expect(problems(external('url: "http://127.0.0.1:1", model: m, modle: n')).join()).toContain('unknown key "modle"');
  });
});

describe('what YAML takes and a scenario does not', () => {
  test('aliases that name nothing, stand within themselves, or multiply are told with their place', () => {
    expect(problems(`${GOOD}targets: *none\n`)).toEqual([
      'x.yaml:11:10: *none names no anchor above it. Mark what it repeats with &none, or quote the text.',
    ]);
    expect(problems(GOOD.replace('systems:', 'systems: &all').replace('{ strategy: serial }', '*all'))).toEqual([
      'x.yaml:5:11: *all stands within &all. Write out what is meant.',
    ]);
    const ten = (name: string) => `[${Array.from({ length: 10 }, () => `*${name}`).join(', ')}]`;
    const bomb = `a: &a [1]\nb: &b ${ten('a')}\nc: &c ${ten('b')}\nd: &d ${ten('c')}\ne: ${ten('d')}\n`;
    expect(problems(GOOD + bomb).join()).toMatch(/^x\.yaml: its aliases repeat each other more often/);
  });

  test('a second document is told as such', () => {
    expect(problems(`${GOOD}---\n${GOOD}`)).toEqual([
      'x.yaml:11:1: a second document starts here. Allowed: one document. Remove the `---`.',
    ]);
  });

  test('durations and targets out of range are told as they were written', () => {
    const load = (text: string) => problems(GOOD.replace('duration: 1s', text));
    expect(load('duration: 0s')).toEqual(['x.yaml:8:43 loads.alone.duration: "0s" must be above 0s.']);
    expect(load('duration: 100h')).toEqual(['x.yaml:8:43 loads.alone.duration: "100h" must be at most 24h.']);
    const clients = 'both: { type: clients, clients: [{ tenant: a, rate: 1/s }], duration: 0s }';
    expect(problems(GOOD.replace('alone: { type: single-stream, duration: 1s }', clients)).join()).toMatch(
      /loads\.both\.duration: "0s" must be above 0s\.$/,
    );
    expect(problems(`${GOOD}targets: { p99Latency: 0ms, errorRate: 200%, acuracy: 90% }\n`)).toEqual([
      'x.yaml:11:24 targets.p99Latency: "0ms" must be above 0ms.',
      'x.yaml:11:40 targets.errorRate: "200%" must be at most 100%.',
      expect.stringMatching(
        /^x\.yaml:11:46 targets\.acuracy: unknown key "acuracy"\. Allowed: p99Latency, .* Did you mean "accuracy"\?$/,
      ),
    ]);
  });

  test('a folder of samples that is not there is told before anything starts', () => {
    expect(problems(`${GOOD}samples: { directory: ./nowhere }\n`)).toEqual([
      'x.yaml:11:23 samples.directory: there is no folder nowhere. Allowed: a folder of samples, relative to this file.',
    ]);
  });

  test('a load that can’t be drawn is told before anything starts: a broken trace, too many requests', () => {
    write('broken.csv', 'time\n1\nsoon\n');
    const load = (text: string) => problems(GOOD.replace('type: single-stream, duration: 1s', text));
    expect(load('type: open, rate: 5/s, arrivals: trace, arrivalOptions: { path: broken.csv }')).toEqual([
      expect.stringMatching(/^x\.yaml:8:10 loads\.alone: broken\.csv:3: "soon" is no time/),
    ]);
    expect(load('type: open, rate: 50% of serial, arrivals: trace, arrivalOptions: { path: none.csv }')).toEqual([
      expect.stringMatching(/^x\.yaml:8:10 loads\.alone: none\.csv: can't be read/),
    ]);
    expect(load('type: open, rate: 1000k/s, duration: 24h')).toEqual([
      expect.stringMatching(/^x\.yaml:8:10 loads\.alone: schedule: the load would send more than 10,000,000 requests/),
    ]);
  });
});
