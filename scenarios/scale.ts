import { arrivals } from '../clients/arrivals/index.js';
import { loads } from '../clients/loads/index.js';
import { UserError } from '../results/errors.js';
import { parseDuration } from '../results/units.js';
import type { LoadSpec, Scenario } from './contract.js';

/**
 * The same scenario, its loads so many times as long: their durations, and the phases of arrival processes whose rate varies
 * (a spike comes later and lasts longer, its height stays). Rates, warm-up and probes stay as they are, and so do loads
 * that name no duration. Throws UserError.
 */
export function scaled(scenario: Scenario, text: string | undefined): Scenario {
  if (text === undefined) return scenario;
  const factor = Number(text);
  if (!(factor > 0) || factor > 100_000)
    throw new UserError({ place: '--scale', found: `"${text}" is no factor`, allowed: 'above 0, up to 100000' });
  return { ...scenario, loads: scenario.loads.map((load) => scaledLoad(load, factor)) };
}

function scaledLoad(load: LoadSpec, factor: number): LoadSpec {
  const { duration, arrivals: name, arrivalOptions } = load.options;
  const process = arrivals.find((each) => each.name === name);
  const phases = (process as { readonly phases?: readonly string[] } | undefined)?.phases ?? [];
  const scaledArrivals =
    phases.length === 0
      ? {}
      : { arrivalOptions: scaledPhases(process!.options.parse(arrivalOptions ?? {}), phases, factor) };
  const options = {
    ...load.options,
    ...(duration === undefined ? {} : { duration: times(duration, factor) }),
    ...scaledArrivals,
  };
  const wrong = loads
    .find((each) => each.name === load.type)
    ?.options.safeParse({ ...options, ...(load.relativeRate ? { [load.relativeRate.key]: 1 } : {}) }).error;
  if (wrong)
    throw new UserError({
      place: `--scale ${factor}, loads.${load.name}`,
      found: wrong.issues[0]?.message ?? 'too long',
    });
  return { ...load, summary: `${load.summary}, × ${factor} in time`, options };
}

/** Defaults included: a spike at its default place moves too. */
function scaledPhases(parsed: object, phases: readonly string[], factor: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(parsed).map(([key, value]) => [key, phases.includes(key) ? times(value, factor) : value]),
  );
}

function times(duration: unknown, factor: number): number {
  const ns = typeof duration === 'string' ? parseDuration(duration) : Number(duration);
  return Math.max(1, Math.round((ns ?? 0) * factor));
}
