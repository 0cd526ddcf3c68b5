/** What `servemark init` writes. */

export function scenarioTemplate(model: string | undefined): string {
  return `# A servemark scenario: a question, the systems to compare, the loads that tell them apart.
# Check it: servemark plan FILE.   Run it: servemark run FILE.   Everything there is: servemark list.
schema: 1
question: Which way of serving my model is better, and at which load?

# A zoo name (servemark list models), or your own file. Inputs are then generated from its metadata by seed;
# to use your own: samples: { directory: ./samples }  (one .npy file an input, first dimension = samples).
model: ${model === undefined ? 'fashion-mlp' : `{ path: ${JSON.stringify(model)} }`}

# Each system is a strategy with its options. Names head the rows of the report.
systems:
  serial:   { strategy: serial }
  two:      { strategy: instance-group, instances: 2 }
  batching: { strategy: triton-dynamic, maxBatchSize: 16, maxQueueDelay: 1ms }
  # Several at once: every combination of the values becomes a system of its own.
  # sweep:  { strategy: triton-dynamic, sweep: { maxBatchSize: [4, 16], maxQueueDelay: [0, 1ms] } }

# Each load is a way of driving them. A rate can be relative to what one system can do on this machine.
loads:
  alone: { type: single-stream, duration: 3s }
  half:  { type: server, rate: 50% of serial, duration: 3s }
  over:  { type: server, rate: 150% of serial, duration: 3s }
  bulk:  { type: offline, duration: 3s }

transports: [rest-binary]          # rest, rest-binary, grpc (servemark list transports)
targets: { p99Latency: 20ms, errorRate: 0.1% }
repeats: 3                         # 5 or more for a claim
seeds: { schedule: 1, samples: 2, order: 3, bootstrap: 4 }
`;
}

export function strategyTemplate(name: string): string {
  const camel = name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return `import { z } from 'zod';
import { defineStrategy, type Strategy, type StrategyContext, type StrategyRequest } from './contract.js';
import { Fifo } from './support/fifo.js';

const options = z.strictObject({ maxBatchSize: z.number().int().min(1).default(4) });

/** Takes whatever waits, up to maxBatchSize requests, as soon as an instance is idle. Change the rule in \`poll\`. */
export const ${camel} = defineStrategy({
  name: '${name}',
  summary: 'greedy batches: all that waits, up to maxBatchSize, no delay',
  source: 'own',
  options,
  workConserving: () => true,
  maxRows: ({ maxBatchSize }) => maxBatchSize,
  create: ({ maxBatchSize }, context) => create(maxBatchSize, context),
});

function create(maxBatchSize: number, context: StrategyContext): Strategy {
  const queue = new Fifo<StrategyRequest>();
  const idle = context.instances.map((instance) => instance.id);
  return {
    offer(request) {
      if (request.rows > maxBatchSize) return 'batch-too-large';
      queue.push(request);
      return undefined;
    },
    finished(execution) {
      idle.push(execution.instance);
      idle.sort((a, b) => a - b);
    },
    poll() {
      const first = queue.peek();
      if (first === undefined || idle.length === 0) return undefined;
      const requests: StrategyRequest[] = [];
      let rows = 0;
      // Requests of different shapes can't share an execution.
      const fits = (next: StrategyRequest) => next.shapeKey === first.shapeKey && rows + next.rows <= maxBatchSize;
      for (let next = queue.peek(); next && fits(next); next = queue.peek()) {
        rows += next.rows;
        requests.push(next);
        queue.shift();
      }
      return { kind: 'execute', instance: idle.shift() ?? 0, requests, rows };
    },
    wakeAt: () => undefined,
    cancel: (request) => queue.remove(request),
    waiting: () => queue.length,
  };
}
`;
}
