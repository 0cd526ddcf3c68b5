/**
 * The compiled file of a module beside the caller: workers and child processes are started from JavaScript. From `dist`
 * it is the neighbour; from a source file (under the test runner) its twin in `dist`. `file` is like `./worker.js`.
 */
export function compiledUrl(callerUrl: string, file: string): URL {
  const url = new URL(file, callerUrl);
  if (!callerUrl.endsWith('.ts')) return url;
  const root = new URL('../', import.meta.url).href;
  return new URL(`dist/${url.href.slice(root.length)}`, root);
}
