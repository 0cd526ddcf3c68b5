import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Environment } from './environment.js';
import { readJsonIfWhole, writeJsonAtomic } from './files.js';

const CALIBRATION_SCHEMA = 1;

/** What must be the same for a calibration to hold. */
export interface HostFingerprint {
  readonly cpu: string;
  readonly logicalCores: number;
  readonly kernel: string;
  readonly node: string;
  readonly servemark: string;
}

/** What the load processes of this host manage against a system that does nothing. */
export interface Calibration {
  readonly schema: number;
  readonly host: HostFingerprint;
  readonly points: readonly CalibrationPoint[];
}

export interface CalibrationPoint {
  readonly transport: string;
  /** Of a request's tensors. */
  readonly requestBytes: number;
  readonly processes: number;
  /** Highest rate of Poisson arrivals at which the gates of lateness and delivery held. */
  readonly openPerSecond: number;
  readonly latenessP99Ns: number | null;
  /** Cores that the load processes used at that rate. */
  readonly cores: number;
  /** What a closed loop reached. */
  readonly closedPerSecond: number;
  readonly capturedAt: string;
}

/** The generator's limit for one load, or why it is not known. */
export type Roofline =
  | { readonly perSecond: number; readonly requestBytes: number; readonly processes: number }
  | { readonly perSecond: null; readonly reason: string };

/** Share of the roofline that a load may ask for: above it the generator's own delays begin to shape the figures. */
export const ROOFLINE_SHARE = 0.7;

export function fingerprintOf({ cpu, host, node, servemark }: Environment): HostFingerprint {
  return {
    cpu: cpu.model,
    logicalCores: cpu.logicalCores,
    kernel: host.kernel,
    node: node.version,
    servemark: servemark.version,
  };
}

/** One file a host, so that a results folder may be shared by several. */
export function calibrationPath(folder: string, host: HostFingerprint): string {
  const hash = createHash('sha256')
    .update(JSON.stringify(Object.values(host)))
    .digest('hex');
  return join(folder, `${hash.slice(0, 12)}.json`);
}

/** This host's calibration; undefined where there is none, or one of another version of the format. */
export function readCalibration(folder: string, host: HostFingerprint): Calibration | undefined {
  const found = readJsonIfWhole(calibrationPath(folder, host)) as Calibration | undefined;
  return found?.schema === CALIBRATION_SCHEMA ? found : undefined;
}

/** Adds points, which replace those of the same transport, size and number of processes. Returns the file's path. */
export function addToCalibration(folder: string, host: HostFingerprint, points: readonly CalibrationPoint[]): string {
  const key = (point: CalibrationPoint) => JSON.stringify([point.transport, point.requestBytes, point.processes]);
  const fresh = new Set(points.map(key));
  const kept = readCalibration(folder, host)?.points.filter((point) => !fresh.has(key(point))) ?? [];
  const path = calibrationPath(folder, host);
  const calibration: Calibration = { schema: CALIBRATION_SCHEMA, host, points: [...kept, ...points] };
  writeJsonAtomic(path, calibration, 'the calibration of this host');
  return path;
}

/**
 * What a load may be measured against: the time of a request is taken as linear in its size between the calibrated ones and
 * beyond the largest, as that of the smallest below it. Processes do not extrapolate: two on two cores are not twice one.
 */
export function rooflineOf(
  calibration: Calibration | undefined,
  load: {
    readonly transport: string;
    readonly requestBytes: number;
    readonly processes: number;
    /** Worked off as fast as it goes (closed loops, offline), not at due times. */
    readonly unscheduled: boolean;
  },
): Roofline {
  if (!calibration) return { perSecond: null, reason: 'not calibrated' };
  const { requestBytes, processes } = load;
  const ofTransport = calibration.points.filter((point) => point.transport === load.transport);
  if (ofTransport.length === 0) return { perSecond: null, reason: `not calibrated for ${load.transport}` };
  const points = ofTransport
    .filter((point) => point.processes === processes)
    .map((point) => ({
      bytes: point.requestBytes,
      seconds: 1 / (load.unscheduled ? point.closedPerSecond : point.openPerSecond),
    }))
    .sort((a, b) => a.bytes - b.bytes);
  if (points.length === 0)
    return { perSecond: null, reason: `not calibrated for ${load.transport} with ${processes} load processes` };
  const seconds = secondsAt(points, requestBytes);
  if (seconds === undefined)
    return { perSecond: null, reason: `calibrated up to ${points.at(-1)!.bytes} bytes a request only` };
  return { perSecond: 1 / seconds, requestBytes, processes };
}

interface TimeOfSize {
  readonly bytes: number;
  readonly seconds: number;
}

function secondsAt(points: readonly TimeOfSize[], bytes: number): number | undefined {
  const [smallest] = points as [TimeOfSize, ...TimeOfSize[]];
  if (bytes <= smallest.bytes) return smallest.seconds;
  if (points.length < 2) return undefined;
  const above = points.findIndex((point) => point.bytes >= bytes);
  const to = points[above < 0 ? points.length - 1 : above]!;
  const from = points[(above < 0 ? points.length - 1 : above) - 1]!;
  const slope = Math.max(0, (to.seconds - from.seconds) / (to.bytes - from.bytes));
  return from.seconds + slope * (bytes - from.bytes);
}
