import { z } from 'zod';
import { UserError } from '../../results/errors.js';
import { livenessOf, topological } from '../onnx/graph.js';
import { flopsPerRow } from '../onnx/inspect.js';
import type { OnnxModel } from '../onnx/model.js';
import { type Probe, probeModel } from '../onnx/probe.js';
import type { NodeProto } from '../onnx/proto/onnx_pb.js';
import { definePass } from './contract.js';
import { describer, extract } from './support/extract.js';
import { nodeTimes } from './support/node-times.js';
import { prepare } from './support/prepare.js';

const options = z.strictObject({
  /** Into how many models. */
  stages: z.number().int().min(2).max(64).default(2),
  /** A stage's cost: its nodes' measured times, or their FLOPs. */
  balance: z.enum(['measured', 'flops']).default('measured'),
  /** Values that may cross a cut; more make more cuts possible and more bytes to hand over. */
  maxLive: z.number().int().positive().default(1),
});

/**
 * Cuts a graph into stages that run one behind the other. Cuts lie where few values are alive; among them those that make
 * the slowest stage fastest. Stages compute exactly what the whole does. Source: Huang et al., *GPipe*; Narayanan et al.,
 * *PipeDream* (balancing by measured times).
 */
export const splitPipeline = definePass({
  name: 'split-pipeline',
  summary: 'stages for pipeline parallelism, cut where few values live, balanced by measured times or FLOPs',
  options,
  splits: 'pipeline',
  apply: async (original, { stages, balance, maxLive }, context) => {
    const { model, notes } = prepare(original, context);
    model.graph.node = topological(model.graph.node).sorted;
    const probe = await probeModel(model);
    const costs = balance === 'measured' ? await nodeTimes(model, probe) : flops(model, probe);
    const live = livenessOf(model);
    const places = cutPlaces(live, probe, maxLive);
    if (places.length < stages - 1)
      throw new UserError({
        place: context.place,
        found: `${places.length} places where at most ${maxLive} ${maxLive > 1 ? 'values are' : 'value is'} alive do for ${stages} stages`,
        remedy: maxLive < 4 ? 'Ask for fewer stages, or allow more live values (maxLive)' : 'Ask for fewer stages',
      });
    const cuts = balanced(costs, places, stages);
    const total = costs.reduce((a, b) => a + b, 0);
    const describe = describer(model, probe);
    const bounds = [0, ...cuts, model.graph.node.length];
    const parts = bounds.slice(1).map((end, i) => {
      const nodes = model.graph.node.slice(bounds[i], end);
      const cost = costs.slice(bounds[i], end).reduce((a, b) => a + b, 0) / total;
      return { suffix: `stage${i}`, ...extract(model, new Set(nodes), describe), cost };
    });
    return {
      models: parts.map(({ suffix, model: part }) => ({ suffix, model: part })),
      plan: {
        schema: 1,
        kind: 'pipeline',
        inputs: model.graph.input.map(({ name }) => name),
        outputs: model.graph.output.map(({ name }) => name),
        steps: parts.map(({ suffix, inputs, outputs, cost }) => ({
          kind: 'whole',
          model: suffix,
          inputs,
          outputs,
          cost,
        })),
      },
      facts: {
        stages,
        balance,
        shares: parts.map(({ cost }) => Number(cost.toFixed(4))),
        cuts: cuts.map((cut) => live[cut]),
        bytesPerRow: cuts.map((cut) =>
          live[cut]!.reduce((sum, name) => sum + 4 * (probe.values.get(name)?.perRow ?? 0), 0),
        ),
        // With m micro-batches the slowest stage sets the pace: sum / largest at best.
        bestSpeedUp: Number((1 / Math.max(...parts.map(({ cost }) => cost))).toFixed(3)),
      },
      notes,
    };
  },
});

function flops(model: OnnxModel, probe: Probe): number[] {
  return model.graph.node.map((node: NodeProto) => flopsPerRow(model, node, probe));
}

/** Places before a node, with something before and behind, where few values are alive and all are plain tensors. */
function cutPlaces(live: readonly (readonly string[])[], probe: Probe, maxLive: number): number[] {
  return live.flatMap((values, place) => {
    const fits = values.length > 0 && values.length <= maxLive && values.every((name) => probe.values.has(name));
    return fits && place > 0 && place < live.length - 1 ? [place] : [];
  });
}

/** The stages − 1 places that make the largest sum between neighbours smallest; by dynamic programming. */
export function balanced(costs: readonly number[], places: readonly number[], stages: number): number[] {
  const before = [0];
  for (const cost of costs) before.push(before.at(-1)! + cost);
  const ends = [...places, costs.length];
  // best[s][e]: the largest of s + 1 stages that end at ends[e], and where the last of them begins.
  let best = ends.map((end) => ({ largest: before[end]!, cuts: [] as number[] }));
  for (let stage = 1; stage < stages; stage++)
    best = ends.map((end, e) => {
      let found = { largest: Number.POSITIVE_INFINITY, cuts: [] as number[] };
      for (let b = 0; b < e; b++) {
        const largest = Math.max(best[b]!.largest, before[end]! - before[ends[b]!]!);
        if (largest < found.largest) found = { largest, cuts: [...best[b]!.cuts, ends[b]!] };
      }
      return found;
    });
  return best.at(-1)!.cuts;
}
