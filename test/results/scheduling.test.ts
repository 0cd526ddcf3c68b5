import { release } from 'node:os';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { compiledUrl } from '../../results/compiled.js';
import type { LoadScheduling } from '../../results/scheduling.js';

const [major, minor] = release().split('.').map(Number) as [number, number];
const heedsSlices = process.platform === 'linux' && (major > 6 || (major === 6 && minor >= 12));

/** In a thread of its own: this one is to stay as it is. */
async function scheduledTwice(best: LoadScheduling): Promise<readonly { scheduling: string; reason?: string }[]> {
  const module = compiledUrl(new URL('../../results/compiled.ts', import.meta.url).href, './scheduling.js');
  const worker = new Worker(
    `import('${module.href}').then(async ({ scheduleAtOnce }) => {
      const first = await scheduleAtOnce('${best}');
      first.restore();
      const { restore, ...second } = await scheduleAtOnce('${best}');
      restore();
      require('node:worker_threads').parentPort.postMessage([{ scheduling: first.scheduling, reason: first.reason }, second]);
    });`,
    { eval: true },
  );
  return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
}

test('a thread gets the best that the kernel grants, or a reason; restored it may ask again', async () => {
  const [first, second] = await scheduledTwice('real-time');
  expect(second).toEqual(first);
  if (first!.scheduling !== 'real-time') expect(first!.reason).toMatch(/CAP_SYS_NICE|not known|loaded|ordinary/);
});

test('short slices need no privilege where the kernel knows them', async () => {
  const [first, second] = await scheduledTwice('short-slices');
  expect(second).toEqual(first);
  if (heedsSlices) expect(first!.scheduling).toBe('short-slices');
  else expect(first!.reason).toMatch(/6\.12|not known|loaded/);
});

test('ordinary is ordinary', async () => {
  expect((await scheduledTwice('ordinary')).map(({ scheduling }) => scheduling)).toEqual(['ordinary', 'ordinary']);
});
