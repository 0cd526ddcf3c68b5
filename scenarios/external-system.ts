import { createServer } from 'node:net';
import { requireLoopback } from '../clients/transports/index.js';
import type { ExternalProgram } from '../servers/external.js';
import { resolveModel } from '../servers/models/index.js';
import type { ExternalSpec, SystemSpec } from './contract.js';

/** An external system with everything filled in, for one trial. */
export interface ResolvedExternal {
  readonly program: ExternalProgram | undefined;
  readonly ready: string | undefined;
  readonly url: string | undefined;
  readonly grpc: string | undefined;
  readonly model: string;
}

/**
 * Fills the placeholders of an external system: `{port}`, `{port2}` … become free ports of this machine (the same number
 * wherever the same name stands), `{modelPath}` the file of the system's model, `${NAME}` and `${NAME:-default}` what the
 * environment says. Throws UserError where an address is not this machine's.
 */
export async function resolveExternal(system: SystemSpec, external: ExternalSpec): Promise<ResolvedExternal> {
  const fill = await filler(system, external);
  const { start, needs, env } = external;
  const url = external.url && fill(external.url);
  const grpc = external.grpc && fill(external.grpc);
  const ready = external.ready && fill(external.ready);
  for (const address of [url, grpc, ready]) if (address) requireLoopback(address, `systems.${system.name}.external`);
  const program: ExternalProgram | undefined = start && {
    start: words(start, fill),
    needs: needs && words(needs, fill),
    env: env && Object.fromEntries(Object.entries(env).map(([name, value]) => [name, fill(value)])),
    stop: external.stop as NodeJS.Signals,
    cwd: fill(external.cwd),
    cpus: system.serverCpus,
    readyTimeoutNs: external.readyTimeoutNs,
    stopTimeoutNs: external.stopTimeoutNs,
  };
  return { program, ready, url, grpc, model: external.model };
}

function words(list: readonly string[], fill: (text: string) => string): [string, ...string[]] {
  return list.map(fill) as [string, ...string[]];
}

async function filler(system: SystemSpec, external: ExternalSpec): Promise<(text: string) => string> {
  const all = JSON.stringify(external);
  const values = new Map<string, string>();
  for (const [name] of all.matchAll(/\{port\d*\}/g)) if (!values.has(name)) values.set(name, String(await freePort()));
  if (all.includes('{modelPath}')) values.set('{modelPath}', (await resolveModel(system.model)).path ?? '');
  return (text) =>
    text
      .replace(/\$\{(\w+)(?::-([^}]*))?\}/g, (_, name: string, fallback = '') => process.env[name] || fallback)
      .replace(/\{\w+\}/g, (name) => values.get(name) ?? name);
}

/** Taken and given back: nobody else on this machine is likely to get it in between. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
