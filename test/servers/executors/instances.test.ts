import { afterEach, describe, expect, test } from 'vitest';
import type { BatchOutcome, Instance, InstanceSpec } from '../../../servers/executors/instance.js';
import { startInstance } from '../../../servers/executors/start-instance.js';

const open: Instance[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((instance) => instance.close()));
});

describe.each(['thread', 'process'] as const)('an instance in a %s', (isolation) => {
  test('executes in the order given and stamps each execution after the one before', async () => {
    const instance = await ready({ isolation, runtimeOptions: { cost: [[1, '2ms']] } });
    const outcomes = await Promise.all([execute(instance, 1), execute(instance, 2), execute(instance, 3)]);
    expect(outcomes.map(firstValue)).toEqual([1, 2, 3]);
    const stamps = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.startNs, outcome.endNs] : []));
    for (const outcome of outcomes) expect(outcome.ok && outcome.endNs - outcome.startNs).toBeGreaterThanOrEqual(2e6);
    if (isolation === 'thread') expect(stamps).toEqual([...stamps].sort((a, b) => a - b));
  });

  test('a worker that dies fails what it ran with its last words, and comes back', async () => {
    const instance = await ready({ isolation, runtimeOptions: { crashOn: 2, cost: [[1, 0]] } });
    expect((await execute(instance, 1)).ok).toBe(true);
    const dead = await execute(instance, 2);
    expect(dead).toMatchObject({ ok: false, reason: 'worker-died' });
    expect(!dead.ok && dead.message).toContain('dying in execution 2, as asked');
    expect(instance.state()).toBe('starting');
    // Given while it starts again: it waits.
    expect(firstValue(await execute(instance, 3))).toBe(3);
    expect(instance.state()).toBe('ready');
  });

  test('options that the runtime does not know are its own error', async () => {
    const instance = startInstance(spec({ isolation, runtimeOptions: { mode: 'dream' } }));
    await expect(instance.started).rejects.toThrow('synthetic.mode');
    expect(instance.state()).toBe('closed');
  });

  test('what a runtime throws fails that execution only', async () => {
    const instance = await ready({ isolation });
    const bad = await new Promise<BatchOutcome>((done) => instance.execute({ inputs: [], rows: -1 }, done));
    expect(bad).toMatchObject({ ok: false, reason: 'execution-failed' });
    expect(firstValue(await execute(instance, 5))).toBe(5);
  });

  test('closing lets what runs end', async () => {
    const instance = await ready({ isolation, runtimeOptions: { cost: [[1, '50ms']] } });
    const running = execute(instance, 9);
    await instance.close();
    expect(firstValue(await running)).toBe(9);
    expect(await execute(instance, 1)).toMatchObject({ ok: false, reason: 'closed' });
  });
});

describe('killing', () => {
  test('ends an execution in a process long before its time, and the instance comes back', async () => {
    const instance = await ready({
      isolation: 'process',
      warmUpExecutions: 0,
      runtimeOptions: {
        cost: [
          [1, 0],
          [2, '60s'],
        ],
      },
    });
    const pid = instance.place()!.pid;
    const long = execute(instance, 1, 2);
    instance.kill();
    expect(await long).toMatchObject({ ok: false, reason: 'killed' });
    expect(firstValue(await execute(instance, 4))).toBe(4);
    expect(instance.place()!.pid).not.toBe(pid);
  });

  test('leaves what the stages had given by then: four of 100 ms, two told', async () => {
    const instance = await ready({
      isolation: 'process',
      runtimeOptions: { stages: 4, cost: [[1, '400ms']] },
    });
    const told: number[] = [];
    const killed = await new Promise<BatchOutcome>((done) => {
      instance.execute({ ...batchOf(3), stages: [0, 4], checkpoints: true }, done, ({ at, values }) => {
        told.push(at, ...new Float32Array(values[0]!.buffer).slice(0, 1));
        if (at === 2) instance.kill();
      });
    });
    expect(killed).toMatchObject({ ok: false, reason: 'killed' });
    expect(told).toEqual([1, 3, 2, 3]);
  });

  test('what is given to it at once waits for its successor; a spare one is ready already', async () => {
    for (const spare of [false, true]) {
      const instance = await ready({
        isolation: 'process',
        spare,
        runtimeOptions: {
          cost: [
            [1, 0],
            [2, '60s'],
          ],
        },
      });
      const long = execute(instance, 1, 2);
      const pid = instance.place()!.pid;
      instance.kill();
      expect(instance.state()).toBe(spare ? 'ready' : 'starting');
      const next = execute(instance, 4);
      expect(await long).toMatchObject({ ok: false, reason: 'killed' });
      expect(firstValue(await next)).toBe(4);
      expect(instance.place()!.pid).not.toBe(pid);
    }
  });

  test('drops the outcome of an execution in a thread when it comes', async () => {
    const instance = await ready({ isolation: 'thread', runtimeOptions: { cost: [[1, '20ms']] } });
    const killed = execute(instance, 1);
    instance.kill();
    expect(await killed).toMatchObject({ ok: false, reason: 'killed' });
    expect(firstValue(await execute(instance, 2))).toBe(2);
  });

  test('a SIGKILL from outside is a death like any other', async () => {
    const instance = await ready({
      isolation: 'process',
      warmUpExecutions: 0,
      runtimeOptions: {
        cost: [
          [1, 0],
          [2, '60s'],
        ],
      },
    });
    const long = execute(instance, 1, 2);
    process.kill(instance.place()!.pid, 'SIGKILL');
    expect(await long).toMatchObject({ ok: false, reason: 'worker-died' });
    expect(firstValue(await execute(instance, 4))).toBe(4);
  });
});

describe('several models on one instance', () => {
  test('each execution goes to the model that it names', async () => {
    const instance = await ready({
      others: { twice: { runtime: 'synthetic', runtimeOptions: { outputs: [output(2)] }, modelPath: undefined } },
      runtimeOptions: { outputs: [output(4)] },
    });
    const { others } = (await instance.started) as { others?: Record<string, { outputs: unknown }> };
    expect(others!.twice!.outputs).toEqual([output(2)]);
    const bytes = async (model?: string) => {
      const outcome = await new Promise<BatchOutcome>((done) => instance.execute({ ...batchOf(1), model }, done));
      return outcome.ok && outcome.outputs[0]!.buffer.byteLength;
    };
    expect([await bytes(), await bytes('twice')]).toEqual([16, 8]);
  });
});

describe('an inline instance', () => {
  test('answers inside of execute, without a worker', async () => {
    const instance = await ready({ runtime: 'null' });
    let outcome: BatchOutcome | undefined;
    instance.execute(batchOf(7), (got) => {
      outcome = got;
    });
    expect(outcome && firstValue(outcome)).toBe(7);
    expect(instance.place()).toEqual({ pid: process.pid, tid: undefined });
  });
});

function output(width: number) {
  return { name: 'y', datatype: 'FP32', shape: [-1, width] };
}

function spec(more: Partial<InstanceSpec>): InstanceSpec {
  return {
    id: 0,
    runtime: 'synthetic',
    runtimeOptions: {},
    modelPath: undefined,
    isolation: 'thread',
    warmUpExecutions: 0,
    ...more,
  };
}

async function ready(more: Partial<InstanceSpec>): Promise<Instance> {
  const instance = startInstance(spec(more));
  open.push(instance);
  await instance.started;
  return instance;
}

function batchOf(value: number, rows = 1) {
  const buffer = new Float32Array(4 * rows).fill(value).buffer;
  return { inputs: [{ name: 'x', datatype: 'FP32' as const, shape: [rows, 4], buffer }], rows };
}

function execute(instance: Instance, value: number, rows = 1): Promise<BatchOutcome> {
  return new Promise((done) => instance.execute(batchOf(value, rows), done));
}

function firstValue(outcome: BatchOutcome): number | undefined {
  return outcome.ok ? new Float32Array(outcome.outputs[0]!.buffer)[0] : undefined;
}
