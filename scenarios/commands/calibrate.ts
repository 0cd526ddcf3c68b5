import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transports } from '../../clients/transports/index.js';
import { addToCalibration, type CalibrationPoint, fingerprintOf, ROOFLINE_SHARE } from '../../results/calibration.js';
import { captureEnvironment } from '../../results/capture.js';
import { UserError } from '../../results/errors.js';
import { lookUp } from '../../results/lookup.js';
import { formatDuration, formatRate, formatSize } from '../../results/units.js';
import { calibratePoint } from '../calibrate.js';
import type { CommandDefinition } from '../contract.js';
import { EXIT } from '../contract.js';
import { durationOption, wholeNumber } from '../option-values.js';
import { table } from '../print.js';
import { interruptible } from '../progress.js';
import { CALIBRATION_ROOT } from '../roofline.js';

interface CalibrateCommandOptions {
  readonly transport: readonly string[];
  readonly bytes: readonly string[];
  readonly processes: string;
  readonly duration: string;
  readonly out: string;
  readonly json?: boolean;
}

export const calibrateCommand: CommandDefinition = {
  name: 'calibrate',
  summary: 'measure what the load processes of this host manage against a system that does nothing',
  configure(command, finish) {
    command
      .option('--transport <name...>', 'rest-binary, rest, grpc', ['rest-binary', 'grpc'])
      .option('--bytes <n...>', 'sizes of a request’s tensor', ['16', '600000'])
      .option('--processes <n>', 'load processes that share the load', '1')
      .option('--duration <time>', 'of each trial; up to sixteen a point', '1s')
      .option('--out <folder>', 'where calibrations lie', CALIBRATION_ROOT)
      .option('--json', 'print the points as JSON')
      .action((options: CalibrateCommandOptions) => finish(calibrate(options)));
  },
};

async function calibrate(options: CalibrateCommandOptions): Promise<number> {
  const { signal } = interruptible();
  const networked = transports.filter((each) => each.endpoint !== 'none');
  for (const name of options.transport) lookUp(networked, name, 'transport', '--transport');
  const sizes = options.bytes.map(sizeOf);
  const processes = wholeNumber('--processes', options.processes, 1, 64);
  const durationNs = durationOption('--duration', options.duration, { least: '100ms', most: '60s' });
  const folder = mkdtempSync(join(tmpdir(), 'servemark-calibrate-'));
  const points: CalibrationPoint[] = [];
  let path = '';
  try {
    for (const transport of options.transport)
      for (const requestBytes of sizes) {
        const onTrial = (text: string): void =>
          void process.stderr.write(`${transport}, ${formatSize(requestBytes)}: ${text}\n`);
        const point = await calibratePoint({ transport, requestBytes, processes, durationNs, folder, signal, onTrial });
        points.push(point);
        // Point by point: an interruption costs the one under way.
        path = addToCalibration(options.out, fingerprintOf(captureEnvironment()), [point]);
      }
  } catch (error) {
    if (signal.aborted) return EXIT.interrupted;
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  process.stdout.write(options.json ? `${JSON.stringify({ path, points })}\n` : shown(points, path));
  return EXIT.done;
}

function shown(points: readonly CalibrationPoint[], path: string): string {
  const head = [
    'transport',
    'request',
    'processes',
    'on time up to',
    'p99 lateness',
    'cores',
    'loads up to',
    'closed loop',
  ];
  const rows = points.map((point) => [
    point.transport,
    formatSize(point.requestBytes),
    String(point.processes),
    formatRate(point.openPerSecond),
    point.latenessP99Ns === null ? '-' : formatDuration(point.latenessP99Ns),
    point.cores.toFixed(2),
    formatRate(ROOFLINE_SHARE * point.openPerSecond),
    formatRate(point.closedPerSecond),
  ]);
  return `${table(head, rows)}\nwritten to ${path}; loads above 70 % of it are refused from now on (--force runs them as INVALID)\n`;
}

/** FP32 elements make it up. */
function sizeOf(text: string): number {
  const bytes = wholeNumber('--bytes', text, 4, 64 * 1024 * 1024);
  if (bytes % 4 === 0) return bytes;
  throw new UserError({ place: '--bytes', found: `${bytes} is no multiple of 4`, allowed: 'whole FP32 numbers' });
}
