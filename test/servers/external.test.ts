import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type ExternalProgram, startExternal, Unavailable } from '../../servers/external.js';

const SERVER = fileURLToPath(new URL('../fixtures/servers/json-only.mjs', import.meta.url));
const signal = new AbortController().signal;

function program(args: readonly string[], changes: Partial<ExternalProgram> = {}): ExternalProgram {
  return {
    start: [process.execPath, SERVER, ...args],
    stop: 'SIGTERM',
    cwd: '.',
    readyTimeoutNs: 20e9,
    stopTimeoutNs: 300e6,
    ...changes,
  };
}

const answers = (port: number) => async () => {
  await fetch(`http://127.0.0.1:${port}/healthz`);
  return undefined;
};

const never = async () => 'the door is closed';

describe('an external server', () => {
  test('is waited for, keeps its last lines, and is killed where it does not react to its stop signal', async () => {
    const port = 20_000 + (process.pid % 20_000);
    const server = await startExternal(program([String(port), '-', '200']), answers(port), signal);
    expect(process.kill(server.pid, 0)).toBe(true);
    await server.stop();
    expect(await server.exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect(server.lastLines()).toEqual(['home-made server starts', 'not yet']);
    expect(() => process.kill(server.pid, 0)).toThrow('ESRCH');
  });

  test('that ends before it is ready is an error with its code and its last lines', async () => {
    await expect(startExternal(program(['1', '7']), never, signal)).rejects.toThrow(
      /ended with code 7 before it was ready; it said last: home-made server starts \/ no such device/,
    );
  });

  test('that is not ready in time is stopped, and the error says what was missing', async () => {
    const slow = program(['0', '-'], { readyTimeoutNs: 4e9 });
    await expect(startExternal(slow, never, signal)).rejects.toThrow(
      /is not ready after 4 s: the door is closed; it said last: home-made server starts/,
    );
  });

  test('whose program or needs are not there is unavailable, not failed', async () => {
    const absent = program([], { start: ['no-such-server-program'] });
    await expect(startExternal(absent, never, signal)).rejects.toThrow(
      new Unavailable('no-such-server-program is not on PATH'),
    );
    const lacking = program([], { needs: [process.execPath, '-e', 'console.error("no module"); process.exit(1)'] });
    await expect(startExternal(lacking, never, signal)).rejects.toThrow(/lacks what it needs: no module/);
    const noNeeds = program([], { needs: ['no-such-python', '-c', 'import x'] });
    await expect(startExternal(noNeeds, never, signal)).rejects.toThrow(
      new Unavailable('no-such-python is not on PATH'),
    );
  });

  test('is stopped when the waiting is aborted', async () => {
    const aborter = new AbortController();
    setTimeout(() => aborter.abort(new Error('enough')), 300);
    await expect(startExternal(program(['0', '-']), never, aborter.signal)).rejects.toThrow('enough');
  });
});
