import { Agent, createServer, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type Gateway, startGateway } from '../../../servers/routing/gateway.js';
import { balancingSchema } from '../../../servers/routing/index.js';

const servers: Server[] = [];
const gateways: Gateway[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  await Promise.all(gateways.splice(0).map((gateway) => gateway.close()));
});

describe('a gateway', () => {
  test('spreads requests in turn, names the replica, and counts both', async () => {
    const gateway = await gatewayOf({}, [echo(), echo()]);
    const answers = await inTurn(4, gateway, 'hello');
    expect(answers.map(({ replica }) => replica)).toEqual(['primary/0', 'primary/1', 'primary/0', 'primary/1']);
    expect(answers[0]).toMatchObject({ status: 200, body: 'hello' });
    expect(gateway.counts()).toMatchObject({ requests: 4, retries: 0, refused: 0 });
    expect(attempts(gateway)).toEqual([2, 2]);
    const metrics = await ask(gateway.url, { path: '/metrics', method: 'GET' });
    expect(metrics.body).toContain('servemark_gateway_attempts_total{pool="primary",replica="1",outcome="ok"} 2');
  });

  test('sends the request of a dead replica to another one and leaves the dead one out for failTimeout', async () => {
    const dead = await replica(() => {});
    const gateway = await gatewayOf({ maxFails: 1 }, []);
    gateway.join('primary', spec('0', dead));
    gateway.join('primary', spec('1', await replica(echo())));
    servers[0]!.close();
    const answers = await inTurn(4, gateway, 'x');
    expect(answers.map(({ status, replica }) => [status, replica])).toEqual(Array(4).fill([200, 'primary/1']));
    expect(gateway.counts().retries).toBe(1);
    expect(attempts(gateway)).toEqual([1, 4]);
  });

  test('a 503 is tried on another replica; the last one is handed on as it is', async () => {
    const busy = (_body: string, response: ServerResponse) => response.writeHead(503).end('full');
    const gateway = await gatewayOf({ maxFails: 0 }, [busy, echo()]);
    expect(await ask(gateway.url)).toMatchObject({ status: 200, replica: 'primary/1' });
    const full = await gatewayOf({ maxFails: 0 }, [busy, busy, busy]);
    expect(await ask(full.url)).toMatchObject({ status: 503, body: 'full' });
    // One retry is the default: the third was not asked.
    expect(attempts(full)).toEqual([1, 1, 0]);
  });

  test('nothing is tried again once a byte of the answer has been forwarded: the client sees it break off', async () => {
    const breaks = (_body: string, response: ServerResponse) => {
      response.writeHead(200, { 'Content-Length': '100' });
      response.write('half');
      setTimeout(() => response.destroy(), 20);
    };
    const gateway = await gatewayOf({}, [breaks, echo()]);
    await expect(ask(gateway.url)).rejects.toThrow();
    expect(attempts(gateway)).toEqual([1, 0]);
    expect(gateway.counts().retries).toBe(0);
  });

  test('a connection lost before any byte is tried again unless retryOn says otherwise', async () => {
    const lost = (_body: string, response: ServerResponse) => response.destroy();
    expect(await ask((await gatewayOf({}, [lost, echo()])).url)).toMatchObject({ status: 200 });
    const strict = await gatewayOf({ retryOn: ['connect'] }, [lost, echo()]);
    expect(await ask(strict.url)).toMatchObject({ status: 502 });
  });

  test('an answer that does not come in time is a 504', async () => {
    const gateway = await gatewayOf({ timeout: 50e6 }, [() => {}]);
    const answer = await ask(gateway.url);
    expect(answer).toMatchObject({ status: 504 });
    expect(answer.body).toContain('replica-timeout');
  });

  test('all replicas down: 503 no-upstream; no replica at all: requests wait for the first', async () => {
    const lost = (_body: string, response: ServerResponse) => response.destroy();
    const down = await gatewayOf({}, [lost]);
    expect((await ask(down.url)).status).toBe(502);
    expect(await ask(down.url)).toMatchObject({ status: 503, body: expect.stringContaining('no-upstream') });
    const empty = await gatewayOf({}, []);
    const waiting = ask(empty.url, { body: 'patient' });
    await until(() => empty.counts().held === 1);
    empty.join('primary', spec('0', await replica(echo())));
    expect(await waiting).toMatchObject({ status: 200, body: 'patient' });
  });

  test('a replica that leaves answers what it has and gets nothing more', async () => {
    let finish = () => {};
    const slow = (_body: string, response: ServerResponse) => {
      finish = () => response.end('late');
    };
    const gateway = await gatewayOf({}, [slow, echo()]);
    const late = ask(gateway.url);
    await until(() => gateway.counts().pools[0]!.replicas[0]!.inFlight === 1);
    const left = gateway.leave('primary', '0');
    const answers = await inTurn(3, gateway, 'x');
    expect(answers.map(({ replica }) => replica)).toEqual(Array(3).fill('primary/1'));
    finish();
    expect(await late).toMatchObject({ body: 'late', replica: 'primary/0' });
    await left;
    expect(gateway.counts().pools[0]!.replicas[0]!.state).toBe('gone');
  });

  test('by connection a client stays where it began; by request it does not', async () => {
    const bodies = async (level: 'connection' | 'request') => {
      const gateway = await gatewayOf({ level }, [echo(), echo()]);
      const agents = [new Agent({ keepAlive: true, maxSockets: 1 }), new Agent({ keepAlive: true, maxSockets: 1 })];
      const seen: (string | undefined)[][] = [];
      for (const agent of agents) {
        const own: (string | undefined)[] = [];
        for (let i = 0; i < 4; i++) own.push((await ask(gateway.url, { agent })).replica);
        seen.push([...new Set(own)].sort());
      }
      for (const agent of agents) agent.destroy();
      return seen;
    };
    expect(await bodies('connection')).toEqual([['primary/0'], ['primary/1']]);
    expect(await bodies('request')).toEqual(Array(2).fill(['primary/0', 'primary/1']));
  });

  test('a body that is too large to be kept streams through whole, and is not tried again', async () => {
    const large = 'x'.repeat(300_000);
    const gateway = await gatewayOf({ maxBuffered: 1000 }, [echo()]);
    expect((await ask(gateway.url, { body: large })).body).toBe(large);
    const lost = (_body: string, response: ServerResponse) => response.destroy();
    const broken = await gatewayOf({ maxBuffered: 1000 }, [lost, echo()]);
    expect(await ask(broken.url, { body: large })).toMatchObject({ status: 502 });
    expect(attempts(broken)).toEqual([1, 0]);
  });
});

describe('routes', () => {
  test('ab: a user stays in one arm, and both arms have users', async () => {
    const gateway = await routed({ name: 'ab', options: {} }, echo(), echo());
    const arms = new Map<string, Set<string>>();
    for (let i = 0; i < 60; i++) {
      const user = `user-${i % 20}`;
      const { replica } = await ask(gateway.url, { headers: { 'servemark-user': user } });
      arms.set(user, (arms.get(user) ?? new Set()).add(replica!));
    }
    expect([...arms.values()].every(({ size }) => size === 1)).toBe(true);
    expect(new Set([...arms.values()].flatMap((each) => [...each]))).toEqual(new Set(['primary/0', 'other/0']));
    const [primary, other] = gateway.counts().pools;
    expect(primary!.users! + other!.users!).toBe(20);
  });

  test('shadow: a copy that crashes, hangs or answers nonsense changes no answer, and copies are bounded', async () => {
    const crashes = (_body: string, response: ServerResponse) => response.destroy();
    const hangs = () => {};
    for (const bad of [crashes, hangs]) {
      const gateway = await routed({ name: 'shadow', options: { maxShadowQueue: 4 } }, echo(), bad);
      const answers = await inTurn(20, gateway, 'mine');
      expect(answers.every(({ status, body }) => status === 200 && body === 'mine')).toBe(true);
      expect(answers.every(({ replica }) => replica === 'primary/0')).toBe(true);
      const { mirror } = gateway.counts();
      if (bad === hangs) expect(mirror).toMatchObject({ copied: 4, dropped: 16, answered: 0 });
      else await until(() => gateway.counts().mirror!.failed === mirror!.copied);
    }
  });

  test('shadow: answers are held against each other, output by output', async () => {
    const outputs = (data: number[], id: string) => (_body: string, response: ServerResponse) => {
      const body = JSON.stringify({
        model_name: 'm',
        id,
        outputs: [{ name: 'y', datatype: 'FP32', shape: [data.length], data }],
      });
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length }).end(body);
    };
    const differences = async (other: number[], tolerance: number) => {
      const options = { compare: true, tolerance };
      const gateway = await routed({ name: 'shadow', options }, outputs([1, 2], 'a'), outputs(other, 'b'));
      await ask(gateway.url);
      await until(() => gateway.counts().mirror!.compared === 1);
      return gateway.counts().mirror!.differed;
    };
    expect(await differences([1, 2], 0)).toBe(0);
    expect(await differences([1, 2.5], 0)).toBe(1);
    expect(await differences([1, 2.5], 0.5)).toBe(0);
    expect(await differences([1], 1)).toBe(1);
  });

  test('canary: every error counts, and after minSamples it is rolled back for good', async () => {
    const fails = (_body: string, response: ServerResponse) => response.writeHead(500).end();
    const options = { ramp: [5000], minSamples: 5 };
    const gateway = await routed({ name: 'canary', options }, echo(), fails);
    const answers = await inTurn(60, gateway, 'x');
    expect(answers.filter(({ status }) => status === 500)).toHaveLength(5);
    const { route } = gateway.counts();
    expect(route.state).toBe('rolled-back');
    expect(route.changes.map(({ text }) => text)).toEqual([
      'rolled back in stage 0, after 5 of its requests, 5 failed',
    ]);
  });
});

type Behaviour = (body: string, response: ServerResponse) => void;

function echo(): Behaviour {
  return (body, response) => response.writeHead(200, { 'Content-Length': Buffer.byteLength(body) }).end(body);
}

async function gatewayOf(options: object, behaviours: readonly Behaviour[]): Promise<Gateway> {
  const gateway = await started(['primary'], options, { name: 'all', options: {} });
  for (const [n, behaviour] of behaviours.entries()) gateway.join('primary', spec(`${n}`, await replica(behaviour)));
  return gateway;
}

async function routed(
  route: { readonly name: string; readonly options: Record<string, unknown> },
  primary: Behaviour,
  other: Behaviour,
): Promise<Gateway> {
  const gateway = await started(['primary', 'other'], { maxFails: 0 }, route);
  gateway.join('primary', spec('0', await replica(primary)));
  gateway.join('other', spec('0', await replica(other)));
  return gateway;
}

async function started(pools: string[], options: object, route: { name: string; options: Record<string, unknown> }) {
  const gateway = await startGateway({ port: 0, pools, balancing: balancingSchema.parse(options), route, seed: 1 });
  gateways.push(gateway);
  return gateway;
}

function spec(name: string, url: string) {
  return { name, url, weight: 1, instances: 1 };
}

function replica(behaviour: Behaviour): Promise<string> {
  const server = createServer((incoming, response) => {
    let body = '';
    incoming.on('data', (chunk: Buffer) => {
      body += chunk.toString('latin1');
    });
    incoming.on('end', () => behaviour(body, response));
  });
  servers.push(server);
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });
}

interface Asked {
  readonly status: number;
  readonly body: string;
  readonly replica: string | undefined;
}

function ask(
  url: string,
  {
    path = '/v2/models/m/infer',
    method = 'POST',
    body = '',
    agent,
    headers = {},
  }: {
    path?: string;
    method?: string;
    body?: string;
    agent?: Agent;
    headers?: Record<string, string>;
  } = {},
): Promise<Asked> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${url}${path}`, {
      method,
      headers: { ...headers, 'Content-Length': body.length },
      ...(agent ? { agent } : {}),
    });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      let text = '';
      response.on('error', reject);
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on('end', () =>
        resolve({
          status: response.statusCode!,
          body: text,
          replica: response.headers['servemark-replica'] as string | undefined,
        }),
      );
    });
    outgoing.end(body);
  });
}

async function inTurn(count: number, gateway: Gateway, body: string): Promise<Asked[]> {
  const answers: Asked[] = [];
  for (let i = 0; i < count; i++) answers.push(await ask(gateway.url, { body }));
  return answers;
}

function attempts(gateway: Gateway): number[] {
  return gateway.counts().pools[0]!.replicas.map((each) => each.attempts);
}

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 400 && !holds(); i++) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(holds()).toBe(true);
}
