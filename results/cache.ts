import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where made and fetched models are kept: `SERVEMARK_CACHE`, else `servemark` in the user's own cache folder (XDG). */
export function cacheFolder(): string {
  return process.env.SERVEMARK_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'servemark');
}
