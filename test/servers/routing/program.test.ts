import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { balancingSchema, type ProgramName, startProgram } from '../../../servers/routing/index.js';
import { haproxyConfig, nginxConfig } from '../../../servers/routing/program.js';

const servers: Server[] = [];
const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

const replicas = [
  { name: '0', url: 'http://127.0.0.1:9001', weight: 5, instances: 1 },
  { name: '1', url: 'http://127.0.0.1:9002', weight: 1, instances: 1 },
];

test('what is asked of the gateway is asked of nginx and haproxy in their words', () => {
  const balancing = balancingSchema.parse({ algorithm: 'least-conn', maxFails: 3, failTimeout: '5s', retries: 2 });
  const nginx = nginxConfig({ protocol: 'rest', port: 8080, replicas, balancing }, '/tmp/x');
  expect(nginx).toContain('least_conn;');
  expect(nginx).toContain('server 127.0.0.1:9001 weight=5 max_fails=3 fail_timeout=5s;');
  expect(nginx).toContain('proxy_next_upstream error http_503 non_idempotent;');
  expect(nginx).toContain('proxy_next_upstream_tries 3;');
  const haproxy = haproxyConfig({ protocol: 'rest', port: 8080, replicas, balancing });
  expect(haproxy).toContain('balance leastconn');
  expect(haproxy).toContain('server r0 127.0.0.1:9001 weight 5');
  expect(haproxy).toContain('retry-on conn-failure empty-response 503');
});

for (const name of ['nginx', 'haproxy'] as const) {
  const here = installed(name);
  if (!here) console.log(`skipped: ${name} is not installed`);
  test.skipIf(!here)(`${name} is started over the replicas, answers through both, and is gone afterwards`, async () => {
    const urls = [await replica('a'), await replica('b')];
    const found = urls.map((url, n) => ({ name: `${n}`, url, weight: 1, instances: 1 }));
    const port = await freePort();
    const balancing = balancingSchema.parse({});
    const program = await startProgram(
      name,
      { protocol: 'rest', port, replicas: found, balancing },
      new AbortController().signal,
    );
    const answers: string[] = [];
    for (let i = 0; i < 8; i++)
      answers.push(await (await fetch(`${program.address}/v2/models/m/infer`, { method: 'POST', body: 'x' })).text());
    await program.stop();
    expect(answers.filter((each) => each === 'a')).toHaveLength(4);
    expect(answers.filter((each) => each === 'b')).toHaveLength(4);
    await expect(fetch(program.address)).rejects.toThrow();
  });
}

for (const name of ['nginx', 'haproxy'] as const) {
  const here = installed(name);
  test.skipIf(!here)(`${name} balances gRPC calls of one connection over the replicas`, async () => {
    const replicas = await Promise.all([grpcReplica('0'), grpcReplica('1')]);
    const spec = { protocol: 'grpc' as const, port: await freePort(), replicas, balancing: balancingSchema.parse({}) };
    const program = await startProgram(name, spec, new AbortController().signal);
    const client = connect(`http://${program.address}`);
    const seen: unknown[] = [];
    for (let i = 0; i < 8; i++) {
      const call = client.request({ ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' });
      call.end(Buffer.alloc(5));
      const [headers] = (await once(call, 'response')) as [Record<string, unknown>];
      seen.push(headers['x-name']);
      await once(call.resume(), 'close');
    }
    client.destroy();
    await program.stop();
    expect(seen.filter((each) => each === '0')).toHaveLength(4);
    expect(seen.filter((each) => each === '1')).toHaveLength(4);
  });
}

test('a replica without a gRPC address cannot stand behind a program that balances gRPC', () => {
  const spec = { protocol: 'grpc' as const, port: 8080, replicas, balancing: balancingSchema.parse({}) };
  expect(() => nginxConfig(spec, '/tmp/x')).toThrow('replica 0 has no gRPC address');
  expect(() => haproxyConfig(spec)).toThrow('replica 0 has no gRPC address');
});

function installed(name: ProgramName): boolean {
  try {
    execFileSync(name, ['-v'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function replica(body: string): Promise<string> {
  const server = createServer((incoming, response) => {
    incoming.resume();
    response.end(body);
  });
  servers.push(server);
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });
}

async function grpcReplica(name: string) {
  const server = createHttp2Server();
  server.on('stream', (stream) => {
    stream.resume();
    stream.on('end', () => {
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.respond({ 'content-type': 'application/grpc', 'x-name': name }, { waitForTrailers: true });
      stream.end(Buffer.alloc(5));
    });
  });
  stops.push(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return { name, url: 'http://127.0.0.1:9', grpc: `127.0.0.1:${port}`, weight: 1, instances: 1 };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createSocketServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
