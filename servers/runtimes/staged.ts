import { defineRuntime, type Runtime, type RuntimeMetadata, type RuntimeTensor } from './contract.js';
import { onnx } from './onnx.js';
import { type PlanFile, readPlanOf, type WholeStep } from './plan.js';
import { openSessions } from './support/sessions.js';
import { lastUses, planMetadata } from './support/values.js';

/**
 * Stages of a split model in one worker, one after the other: other work can come between them. It computes exactly what the
 * whole does; what it costs more is said by its profile.
 */
export const staged = defineRuntime({
  name: 'staged',
  summary: 'Stages of a split model one after the other in one worker, so that other work can come between them',
  options: onnx.options,
  create: async (modelPath, parsed) => {
    const plan = readPlanOf(modelPath, 'pipeline', 'staged');
    const steps = plan.steps.filter((step) => step.kind === 'whole');
    const sessions = await openSessions(plan, steps, parsed);
    const parts = sessions.map(({ metadata }) => metadata);
    return new Staged(plan, steps, sessions, { ...planMetadata(plan, 'staged', parts), stages: steps.length });
  },
});

class Staged implements Runtime {
  readonly #lastUse: ReadonlyMap<string, number>;

  constructor(
    private readonly plan: PlanFile,
    private readonly steps: readonly WholeStep[],
    private readonly sessions: readonly Runtime[],
    readonly metadata: RuntimeMetadata,
  ) {
    this.#lastUse = lastUses(plan);
  }

  execute(inputs: readonly RuntimeTensor[], rows: number, wanted?: readonly string[]): Promise<RuntimeTensor[]> {
    return this.executeStages(inputs, rows, [0, this.steps.length], wanted);
  }

  async executeStages(
    given: readonly RuntimeTensor[],
    rows: number,
    [from, to]: readonly [from: number, to: number],
    wanted?: readonly string[],
  ): Promise<RuntimeTensor[]> {
    const values = new Map(given.map((tensor) => [tensor.name, tensor]));
    for (let stage = from; stage < to; stage++) {
      const inputs = this.steps[stage]!.inputs.map((name) => values.get(name)!);
      for (const output of await this.sessions[stage]!.execute(inputs, rows)) values.set(output.name, output);
    }
    if (to < this.steps.length) return [...values.values()].filter(({ name }) => (this.#lastUse.get(name) ?? -1) >= to);
    return this.plan.outputs
      .filter((name) => wanted === undefined || wanted.includes(name))
      .map((name) => values.get(name)!);
  }

  async close(): Promise<void> {
    for (const session of this.sessions) await session.close();
  }
}
