import { messageOf, UserError } from '../results/errors.js';
import { drive } from './drive.js';
import type { DriveJob } from './job.js';
import type { FromLoad, ToLoad } from './load-messages.js';
import { samplesNamed } from './samples/index.js';
import { createTransport } from './transports/index.js';

/**
 * A process of its own for the load: one job over the IPC channel, progress and one result back. It ends when it has told
 * its result, or when the channel closes; Ctrl-C is the parent's business, which sends `abort`.
 */
const aborter = new AbortController();

process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit(1));
process.on('message', (message: ToLoad) => {
  if (message.kind === 'abort') aborter.abort();
  else void carryOut(message.job);
});

async function carryOut(job: DriveJob): Promise<void> {
  let last: FromLoad;
  try {
    last = await run(job);
  } catch (error) {
    const problems = error instanceof UserError ? error.problems : undefined;
    last = { kind: 'failed', error: messageOf(error), problems };
    if (!problems) process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  }
  // Not before the message is through: exit would lose it.
  process.send?.(last, () => process.exit(0));
}

async function run(job: DriveJob): Promise<FromLoad> {
  const transport = createTransport(job.transport, job);
  try {
    const samples = await samplesNamed(job.samples.name).create({
      metadata: await transport.modelMetadata(aborter.signal),
      seed: BigInt(job.seeds.samples),
      directory: job.samples.directory,
      count: job.samples.count,
      dims: job.samples.dims,
    });
    return await drive(job, transport, samples, (progress) => process.send?.(progress), aborter.signal);
  } finally {
    await transport.close();
  }
}
