import { afterEach, describe, expect, test } from 'vitest';
import { forkServer, type ServerHandle } from '../../servers/server-handle.js';
import type { ServerSpec } from '../../servers/spec.js';

const open: ServerHandle[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.stop(0)));
});

describe('a server in a process of its own', () => {
  test('tells where it listens and what it serves, counts, and ends with 0', async () => {
    const server = await start({ model: { runtime: 'synthetic', name: 'm', options: { cost: [[1, 0]] } } });
    expect(server.addresses.rest).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(server.metadata.inputs).toEqual([{ name: 'x', datatype: 'FP32', shape: [-1, 4] }]);
    expect(server.model).toMatchObject({ path: null, sha256: null, runtime: 'synthetic' });
    expect(await post(server, 'm')).toMatchObject({ outputs: [{ name: 'y', data: [1] }] });
    expect((await server.statistics())[0]).toMatchObject({ name: 'm', inference_count: 1, execution_count: 1 });
    const usage = await server.usage();
    expect(usage.process.pid).toBe(server.pid);
    expect(usage.process.userSeconds).toBeGreaterThan(0);
    expect(usage.instances).toHaveLength(1);
    expect(await server.stop()).toEqual({ code: 0, signal: null });
    await expect(server.usage()).rejects.toThrow('has ended');
  });

  test('survives the SIGKILL of its worker process', async () => {
    const server = await start({
      isolation: 'process',
      model: { runtime: 'synthetic', name: 'm', options: { cost: [[1, 0]] } },
    });
    process.kill((await server.usage()).instances[0]!.pid, 'SIGKILL');
    // Whatever is sent now waits for the worker that comes, or fails with the one that went.
    const answer = await post(server, 'm');
    expect(answer.outputs ?? answer.error).toBeDefined();
    expect(await post(server, 'm')).toMatchObject({ outputs: [{ name: 'y', data: [1] }] });
  });

  test('that cannot start says why, as the user’s mistake', async () => {
    await expect(forkServer(spec({ model: { path: 'no/such.onnx' } }))).rejects.toMatchObject({
      name: 'UserError',
      problems: [{ place: 'no/such.onnx', found: 'there is no such file' }],
    });
  });

  test('that is aborted while it starts is stopped', async () => {
    const stopping = new AbortController();
    const starting = forkServer(spec({}), { signal: stopping.signal });
    stopping.abort(new Error('enough'));
    await expect(starting).rejects.toThrow('enough');
  });

  test('that is killed says so', async () => {
    const server = await start({});
    process.kill(server.pid, 'SIGKILL');
    expect(await server.exited).toEqual({ code: null, signal: 'SIGKILL' });
  });

  test('that does not end in time is ended', async () => {
    const model = {
      runtime: 'synthetic',
      name: 'm',
      options: {
        cost: [
          [1, 0],
          [2, '60s'],
        ] as const,
      },
    };
    const server = await start({ model, warmUpExecutions: 0 });
    const hopeless = post(server, 'm', 2).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await server.stop(100)).toEqual({ code: null, signal: 'SIGKILL' });
    await hopeless;
  });

  test.skipIf(process.platform === 'win32')(
    'that is stuck is not waited for: its questions end, and so does it',
    async () => {
      const server = await forkServer(spec({}), { patienceMs: 300 });
      process.kill(server.pid, 'SIGSTOP');
      await expect(server.statistics()).rejects.toThrow(
        'the server process did not tell its statistics within 300 ms: it is stuck',
      );
      expect(await server.stop(100)).toEqual({ code: null, signal: 'SIGKILL' });
    },
  );
});

function spec(more: Partial<ServerSpec>): ServerSpec {
  return {
    name: 'test',
    model: { runtime: 'null' },
    strategy: { name: 'serial' },
    frontends: { rest: { port: 0 } },
    ...more,
  };
}

async function start(more: Partial<ServerSpec>): Promise<ServerHandle> {
  const server = await forkServer(spec(more));
  open.push(server);
  return server;
}

interface Answer {
  readonly outputs?: unknown;
  readonly error?: string;
}

async function post(server: ServerHandle, model: string, rows = 1): Promise<Answer> {
  const data = new Array(4 * rows).fill(1);
  const body = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [rows, 4], data }] });
  const response = await fetch(`${server.addresses.rest}/v2/models/${model}/infer`, { method: 'POST', body });
  return (await response.json()) as Answer;
}
