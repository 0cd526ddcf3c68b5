import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import type { Instance, Isolation } from './executors/index.js';
import type { ServerUsage } from './spec.js';

/** The kernel's clock ticks a second in /proc: 100 on every Linux that Node runs on. */
const TICKS = 100;
const PAGE_BYTES = 4096;

/** A model's instances. */
export interface InstancesOfModel {
  readonly name: string;
  readonly instances: readonly Instance[];
  readonly isolation: Isolation;
}

/** What this process and its models' instances have used so far. */
export function serverUsage(models: readonly InstancesOfModel[]): ServerUsage {
  const { user, system } = process.cpuUsage();
  return {
    process: {
      pid: process.pid,
      userSeconds: user / 1e6,
      systemSeconds: system / 1e6,
      rssBytes: process.memoryUsage.rss(),
    },
    instances: models.flatMap(({ name, instances, isolation }) =>
      instances.map((instance) => instanceUsage(name, instance, isolation)),
    ),
    eventLoopUtilization: performance.eventLoopUtilization().utilization,
  };
}

function instanceUsage(model: string, instance: Instance, isolation: Isolation): ServerUsage['instances'][number] {
  const place = instance.place();
  const pid = place?.pid ?? process.pid;
  const ownProcess = pid !== process.pid;
  const path = ownProcess ? `/proc/${pid}/stat` : place?.tid && `/proc/self/task/${place.tid}/stat`;
  const fields = path ? statFields(path) : undefined;
  return {
    model,
    id: instance.id,
    pid,
    isolation,
    userSeconds: fields ? Number(fields[11]) / TICKS : null,
    systemSeconds: fields ? Number(fields[12]) / TICKS : null,
    rssBytes: fields && ownProcess ? Number(fields[21]) * PAGE_BYTES : null,
  };
}

/** Fields of /proc/…/stat from the third on: the second, a name in brackets, may hold spaces. */
function statFields(path: string): string[] | undefined {
  try {
    const text = readFileSync(path, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
