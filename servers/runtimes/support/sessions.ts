import type { z } from 'zod';
import type { Runtime } from '../contract.js';
import { onnx } from '../onnx.js';
import type { PlanFile } from '../plan.js';

/** A session for each of a plan's models, in the order of its steps. Where one does not load, those before it are closed. */
export async function openSessions(
  plan: PlanFile,
  steps: readonly { readonly model: string }[],
  options: z.output<typeof onnx.options>,
): Promise<Runtime[]> {
  const sessions: Runtime[] = [];
  try {
    for (const { model } of steps) sessions.push(await onnx.create(plan.pathOf(model), options));
  } catch (error) {
    await Promise.all(sessions.map((session) => session.close()));
    throw error;
  }
  return sessions;
}
