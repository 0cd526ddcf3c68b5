import { runtimeNamed } from '../runtimes/index.js';
import { InlineInstance } from './inline-instance.js';
import type { Instance, InstanceEvents, InstanceSpec } from './instance.js';
import { startProcess } from './process-body.js';
import { SparedInstance } from './spared-instance.js';
import { startThread } from './thread-body.js';
import { WorkerInstance } from './worker-instance.js';

const BODIES = { thread: startThread, process: startProcess } as const;

/** Start an instance; its `started` tells when it is ready, or why it never will be. */
export function startInstance(spec: InstanceSpec, events: Partial<InstanceEvents> = {}): Instance {
  if (runtimeNamed(spec.runtime).inline && spec.others === undefined) return new InlineInstance(spec);
  const { event = () => {}, line = () => {} } = events;
  const start = () => new WorkerInstance(spec, BODIES[spec.isolation], { event, line });
  return spec.spare ? new SparedInstance(start(), start()) : start();
}
