import type { AddressInfo, Server } from 'node:net';
import { UserError } from '../../results/errors.js';

/** A port that is taken or not ours to take, or an address of another machine. */
export function cannotListen(place: string, why: string, cause: unknown): UserError {
  const isElsewhere = /EADDRNOTAVAIL|ENOTFOUND/.test(why);
  const remedy = isElsewhere ? 'Name an address of this machine' : 'Choose another port, or 0 for any free one';
  return new UserError({ place, found: `cannot listen: ${why}`, remedy }, { cause });
}

/** The port that a server listens at. Throws UserError where it can't be had. */
export function listenAt(server: Server, what: string, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(cannotListen(`${what} at ${host}:${port}`, error.message, error)));
    server.listen({ host, port }, () => resolve((server.address() as AddressInfo).port));
  });
}
