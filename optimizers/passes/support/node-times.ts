import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { median } from '../../../results/stats/index.js';
import { cloneModel, type OnnxModel } from '../../onnx/model.js';
import { type Probe, probeInputs } from '../../onnx/probe.js';
import { inTemporaryFolder, withSession } from '../../onnx/session.js';

const RUNS = 20;

interface TraceEvent {
  readonly cat?: string;
  readonly name?: string;
  readonly dur?: number;
}

/**
 * What each node takes with one row, in µs: the median over some runs, from ONNX Runtime's own trace, without graph
 * optimisation (which would join nodes that a cut may part). In the order of the graph's nodes.
 */
export async function nodeTimes(model: OnnxModel, probe: Probe): Promise<number[]> {
  const named = cloneModel(model);
  for (const [i, node] of named.graph.node.entries()) node.name = `node${i}`;
  return inTemporaryFolder(async (folder) => {
    const run = async (runtime: Parameters<typeof probeInputs>[0]) => {
      const inputs = await probeInputs(runtime, probe, 1);
      for (let i = 0; i < RUNS; i++) await runtime.execute(inputs, 1);
    };
    await withSession(named, [], run, { profilePrefix: join(folder, 'trace') });
    const file = readdirSync(folder).find((name) => name.startsWith('trace'))!;
    const events = JSON.parse(readFileSync(join(folder, file), 'utf8')) as TraceEvent[];
    const times = new Map<string, number[]>();
    for (const { cat, name, dur } of events) {
      const node = /^(node\d+)_kernel_time$/.exec(name ?? '')?.[1];
      if (cat === 'Node' && node !== undefined && dur !== undefined) times.set(node, [...(times.get(node) ?? []), dur]);
    }
    return named.graph.node.map(({ name }) => median(times.get(name) ?? [0]));
  });
}
