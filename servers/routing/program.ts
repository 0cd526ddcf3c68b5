import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ExternalHandle, startExternal } from '../external.js';
import type { ReplicaSpec } from './contract.js';
import type { Balancing } from './options.js';

/** A program that balances in the built-in gateway's place, over replicas that are known before it starts. */
export interface ProgramGateway extends Pick<ExternalHandle, 'pid' | 'exited' | 'stop'> {
  /** `http://127.0.0.1:8000`; for gRPC `127.0.0.1:8001`. */
  readonly address: string;
}

export type ProgramName = 'nginx' | 'haproxy';

/**
 * Writes a configuration into a folder of its own and starts the program with it, in the foreground, on loopback. Rejects with
 * Unavailable where it is not installed.
 */
export async function startProgram(
  name: ProgramName,
  spec: Configured,
  signal: AbortSignal,
  onLine?: (line: string) => void,
): Promise<ProgramGateway> {
  const folder = mkdtempSync(join(tmpdir(), `servemark-${name}-`));
  const file = join(folder, `${name}.conf`);
  const address = `127.0.0.1:${spec.port}`;
  const isGrpc = spec.protocol === 'grpc';
  writeFileSync(file, name === 'nginx' ? nginxConfig(spec, folder) : haproxyConfig(spec));
  const start: [string, ...string[]] =
    name === 'nginx' ? ['nginx', '-p', folder, '-c', file, '-e', 'stderr'] : ['haproxy', '-db', '-f', file];
  const program = { start, stop: 'SIGTERM' as const, cwd: folder, readyTimeoutNs: 10e9, stopTimeoutNs: 3e9 };
  try {
    const handle = await startExternal(
      program,
      (stop) => (isGrpc ? isOpen(spec.port) : readiness(`http://${address}`, stop)),
      signal,
      onLine,
    );
    const stop = async () => {
      await handle.stop();
      rmSync(folder, { recursive: true, force: true });
    };
    return { pid: handle.pid, exited: handle.exited, address: isGrpc ? address : `http://${address}`, stop };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

async function readiness(url: string, signal: AbortSignal): Promise<string | undefined> {
  const { status } = await fetch(`${url}/v2/health/ready`, { signal });
  return status === 200 ? undefined : `HTTP ${status}`;
}

/** Without an HTTP/1.1 port there is nothing to ask; the replicas were ready before. */
function isOpen(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(undefined));
    socket.once('error', (error) => resolve(error.message));
    socket.once('connect', () => socket.destroy());
  });
}

interface Configured {
  readonly protocol: 'rest' | 'grpc';
  readonly port: number;
  readonly replicas: readonly ReplicaSpec[];
  readonly balancing: Balancing;
}

function hostOf(
  { name, url, grpc }: Pick<ReplicaSpec, 'name' | 'url' | 'grpc'>,
  protocol: Configured['protocol'],
): string {
  if (protocol === 'rest') return new URL(url).host;
  if (grpc === undefined) throw new Error(`replica ${name} has no gRPC address`);
  return grpc;
}

const seconds = (ns: number) => Math.max(1, Math.ceil(ns / 1e9));

/** `round-robin` and `smooth-weighted` are one there: smooth, with weights. An UNAVAILABLE of gRPC is HTTP 200 to it: not tried again. */
export function nginxConfig({ protocol, port, replicas, balancing }: Configured, folder: string): string {
  const { algorithm, maxFails, failTimeout, retries, timeout, retryOn } = balancing;
  const method = { 'least-conn': 'least_conn;', 'ip-hash': 'ip_hash;' }[algorithm as string] ?? '';
  const servers = replicas.map(
    ({ weight, ...replica }) =>
      `server ${hostOf(replica, protocol)} weight=${weight} max_fails=${maxFails} fail_timeout=${seconds(failTimeout)}s;`,
  );
  const next = [
    ...(retryOn.includes('connect') || retryOn.includes('reset') ? ['error'] : []),
    ...(retryOn.includes('timeout') ? ['timeout'] : []),
    ...(retryOn.includes('unavailable') ? ['http_503'] : []),
  ];
  const module = protocol === 'grpc' ? 'grpc' : 'proxy';
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (what) => `  ${what}_temp_path ${join(folder, what)};`,
  );
  return [
    'daemon off;',
    'worker_processes 1;',
    `pid ${join(folder, 'nginx.pid')};`,
    'events { worker_connections 4096; }',
    'http {',
    '  access_log off;',
    '  client_max_body_size 64m;',
    '  keepalive_requests 100000000;',
    '  keepalive_timeout 120s;',
    ...temporary,
    '  upstream replicas {',
    ...[method, ...servers, `keepalive ${balancing.maxConnections};`].filter(Boolean).map((line) => `    ${line}`),
    '  }',
    '  server {',
    // Older and newer versions know it; the newest warn of it.
    `    listen 127.0.0.1:${port}${protocol === 'grpc' ? ' http2' : ''};`,
    ...(protocol === 'grpc' ? ['    http2_max_concurrent_streams 1024;'] : []),
    '    location / {',
    ...(protocol === 'grpc'
      ? ['      grpc_pass grpc://replicas;']
      : [
          '      proxy_pass http://replicas;',
          '      proxy_http_version 1.1;',
          '      proxy_set_header Connection "";',
        ]),
    `      ${module}_read_timeout ${seconds(timeout)}s;`,
    // Inferences are POSTs, and safe to repeat.
    `      ${module}_next_upstream ${next.length > 0 ? `${next.join(' ')} non_idempotent` : 'off'};`,
    `      ${module}_next_upstream_tries ${retries + 1};`,
    '    }',
    '  }',
    '}',
    '',
  ].join('\n');
}

/** Its passive health needs active checks beside it: `maxFails` is not translated. */
export function haproxyConfig({ protocol, port, replicas, balancing }: Configured): string {
  const { algorithm, retries, retryOn, timeout, maxConnections } = balancing;
  const method = { 'least-conn': 'leastconn', 'ip-hash': 'source' }[algorithm as string] ?? 'roundrobin';
  const h2 = protocol === 'grpc' ? ' proto h2' : '';
  const words = { connect: 'conn-failure', reset: 'empty-response', unavailable: '503', timeout: 'response-timeout' };
  return [
    'global',
    '  maxconn 4096',
    'defaults',
    '  mode http',
    '  timeout connect 5s',
    `  timeout server ${seconds(timeout)}s`,
    '  timeout client 120s',
    '  timeout http-keep-alive 120s',
    'frontend servemark',
    `  bind 127.0.0.1:${port}${h2}`,
    '  default_backend replicas',
    'backend replicas',
    `  balance ${method}`,
    '  http-reuse always',
    `  retries ${retries}`,
    '  option redispatch 1',
    ...(retryOn.length > 0 ? [`  retry-on ${retryOn.map((each) => words[each]).join(' ')}`] : []),
    ...replicas.map(
      ({ weight, ...replica }) =>
        `  server r${replica.name} ${hostOf(replica, protocol)} weight ${weight} maxconn ${maxConnections}${h2}`,
    ),
    '',
  ].join('\n');
}
