import { release } from 'node:os';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { compiledUrl } from '../../results/compiled.js';
import { SHORT_SLICE_NS } from '../../results/time-slice.js';

const [major, minor] = release().split('.').map(Number) as [number, number];
const heeded = process.platform === 'linux' && (major > 6 || (major === 6 && minor >= 12));

test('a thread gets the short slice where the kernel knows it, and a reason where not', async () => {
  const worker = new Worker(
    `import('${compiledUrl(new URL('../../results/compiled.ts', import.meta.url).href, './time-slice.js').href}')
      .then(({ shortenTimeSlice }) => shortenTimeSlice())
      .then((found) => require('node:worker_threads').parentPort.postMessage(found));`,
    { eval: true },
  );
  const found = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  if (heeded) expect(found).toBe(SHORT_SLICE_NS);
  else expect(found).toMatch(/known|knows|refuses|loaded/);
});
