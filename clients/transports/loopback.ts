import { UserError } from '../../results/errors.js';

/**
 * Refuses every host but this machine's own: servemark compares systems on one machine, and a tool that can be pointed at
 * somebody else's server is a weapon. `url` is `http://host:port` or `host:port`. Throws UserError.
 */
export function requireLoopback(url: string, place = 'url'): void {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1];
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'grpc')
    throw new UserError({
      place,
      found: `"${url}" is an address of ${scheme}`,
      allowed: 'http://host:port or grpc://host:port, in clear text',
    });
  const host = hostOf(url);
  if (host !== undefined && (host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host))) return;
  throw new UserError({
    place,
    found: host === undefined ? `"${url}" is no address` : `"${host}" is not this machine`,
    allowed: 'loopback only: 127.0.0.1, ::1 or localhost, with a port',
    remedy: 'Start the server on this machine, or forward a local port to it',
  });
}

/** `http://127.0.0.1:8000/v2` → origin `http://127.0.0.1:8000`; without a scheme http is meant. */
export function originOf(url: string): string {
  return new URL(url.includes('://') ? url : `http://${url}`).origin;
}

/** `grpc://127.0.0.1:8001` or `127.0.0.1:8001` → `127.0.0.1:8001`. */
export function hostAndPort(url: string): string {
  return url.replace(/^[a-z]+:\/\//, '').replace(/\/.*$/, '');
}

function hostOf(url: string): string | undefined {
  try {
    // The host of an http URL is normalised (127.1 → 127.0.0.1); credentials and paths can't disguise it.
    const { hostname } = new URL(`http://${url.replace(/^[a-z]+:\/\//, '')}`);
    return hostname.replace(/^\[|\]$/g, '').toLowerCase() || undefined;
  } catch {
    return undefined;
  }
}
