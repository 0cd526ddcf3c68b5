import { loadNamed } from '../clients/loads/index.js';
import {
  type Calibration,
  fingerprintOf,
  ROOFLINE_SHARE,
  type Roofline,
  readCalibration,
  rooflineOf,
} from '../results/calibration.js';
import type { Environment } from '../results/environment.js';
import { formatProblem, type Problem, UserError } from '../results/errors.js';
import { formatRate } from '../results/units.js';
import { byteCount, type TensorMetadata } from '../servers/protocol/index.js';
import type { Scenario, TrialSpec } from './contract.js';

/** Where `servemark calibrate` writes and everybody else looks. */
export const CALIBRATION_ROOT = 'results/calibration';

/** What is known of this host's load processes. */
export function calibrationOf(environment: Environment, folder = CALIBRATION_ROOT): Calibration | undefined {
  return readCalibration(folder, fingerprintOf(environment));
}

/** Bytes of one row of a model's inputs; 0 where a dimension is not known beforehand: the most that could be allowed. */
export function requestBytesOf(inputs: readonly TensorMetadata[]): number {
  let sum = 0;
  for (const { datatype, shape } of inputs) {
    const row = shape.map((dim, i) => (i === 0 && dim < 0 ? 1 : dim));
    if (row.some((dim) => dim < 0)) return 0;
    sum += byteCount(datatype, row) ?? 0;
  }
  return sum;
}

/** A load that is known before it runs. */
export interface AskedLoad {
  readonly transport: string;
  readonly type: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly requestBytes: number;
  readonly processes: number;
}

/** Why a load with a rate is more than its generator is good for; undefined where it is not, or where nobody knows. */
export function rooflineProblem(
  calibration: Calibration | undefined,
  load: AskedLoad,
  place: string,
): Problem | undefined {
  const rate = rateOf(load);
  const limit = rooflineOf(calibration, { ...load, unscheduled: false });
  if (rate === undefined || limit.perSecond === null) return undefined;
  const allowed = ROOFLINE_SHARE * limit.perSecond;
  if (rate <= allowed) return undefined;
  const many = load.processes === 1 ? 'one load process' : `${load.processes} load processes`;
  return {
    place,
    found: `${formatRate(rate)} over ${load.transport} is ${Math.round((100 * rate) / limit.perSecond)} % of the ${formatRate(limit.perSecond)} that ${many} can do on this host`,
    allowed: `at most ${formatRate(allowed)} (${100 * ROOFLINE_SHARE} %)`,
    remedy: REMEDY,
  };
}

const REMEDY =
  'Use more load processes (loadProcesses, calibrated with `servemark calibrate --processes N`), lower the rate, or calibrate again; --force runs it and calls it INVALID';

/** Refuses, before anything starts, absolute rates that the calibrated generator is not good for. Throws UserError with all. */
export function checkRooflines(
  scenario: Scenario,
  trials: readonly TrialSpec[],
  requestBytes: Readonly<Record<string, number>>,
  calibration: Calibration | undefined,
): void {
  const problems = new Map<string, Problem>();
  for (const { kind, load, system, identity } of trials) {
    if (kind !== 'measure' || identity.simulated || load.relativeRate) continue;
    const asked = { ...load, transport: identity.transport, requestBytes: requestBytes[system.name] ?? 0 };
    const processes = load.processes ?? scenario.loadProcesses;
    const place = scenario.place(['loads', load.name, 'rate']);
    const problem = rooflineProblem(calibration, { ...asked, processes }, place);
    if (problem) problems.set(formatProblem(problem), problem);
  }
  if (problems.size > 0) throw new UserError([...problems.values()]);
}

/** After the run, with what was really sent. */
export function measuredRoofline(
  calibration: Calibration | undefined,
  load: { readonly transport: string; readonly scheduled: boolean },
  drive: { readonly requestBytes?: number | undefined; readonly processes?: number | undefined },
): Roofline {
  return rooflineOf(calibration, {
    transport: load.transport,
    requestBytes: drive.requestBytes ?? 0,
    processes: drive.processes ?? 1,
    unscheduled: !load.scheduled,
  });
}

function rateOf({ type, options }: AskedLoad): number | undefined {
  const parsed = loadNamed(type).options.safeParse(options);
  const rate = parsed.success ? (parsed.data as { rate?: unknown }).rate : undefined;
  return typeof rate === 'number' ? rate : undefined;
}
