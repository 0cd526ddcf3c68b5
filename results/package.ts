import { existsSync, readFileSync } from 'node:fs';

/** The folder that holds package.json, with a final slash: the same from sources and from `dist`. */
export const packageRoot: URL = findRoot();

/** The version in package.json. */
export const version: string = (
  JSON.parse(readFileSync(new URL('package.json', packageRoot), 'utf8')) as { version: string }
).version;

function findRoot(): URL {
  let folder = new URL('./', import.meta.url);
  while (!existsSync(new URL('package.json', folder)) && folder.pathname !== '/') folder = new URL('../', folder);
  return folder;
}
