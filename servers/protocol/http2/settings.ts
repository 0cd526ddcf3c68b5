import type { FrameWriter } from './frame-writer.js';
import { ERROR, FRAME, Http2Error, MAX_31 } from './wire.js';

/** What one side asks of the other. Source: RFC 9113, 6.5.2. */
export interface Settings {
  headerTableSize: number;
  enablePush: number;
  maxConcurrentStreams: number;
  initialWindowSize: number;
  maxFrameSize: number;
  maxHeaderListSize: number;
}

/** In the order of their numbers, from 1. */
const NAMES = [
  'headerTableSize',
  'enablePush',
  'maxConcurrentStreams',
  'initialWindowSize',
  'maxFrameSize',
  'maxHeaderListSize',
] as const satisfies readonly (keyof Settings)[];

/** What holds until a side has said otherwise. */
export function defaultSettings(): Settings {
  return {
    headerTableSize: 4096,
    enablePush: 1,
    maxConcurrentStreams: Number.POSITIVE_INFINITY,
    initialWindowSize: 65_535,
    maxFrameSize: MIN_FRAME_BYTES,
    maxHeaderListSize: Number.POSITIVE_INFINITY,
  };
}

const MIN_FRAME_BYTES = 16_384;
const MAX_FRAME_BYTES = 2 ** 24 - 1;
const ENTRY_BYTES = 6;

export function writeSettings(writer: FrameWriter, settings: Partial<Settings>): void {
  const given = NAMES.filter((name) => settings[name] !== undefined);
  writer.head(given.length * ENTRY_BYTES, FRAME.settings, 0, 0);
  for (const name of given) {
    writer.uint16(NAMES.indexOf(name) + 1);
    writer.uint32(settings[name]!);
  }
}

/** Enters what a SETTINGS frame says; numbers that are not known are passed over. Throws Http2Error. */
export function readSettings(settings: Settings, bytes: Buffer, from: number, to: number): void {
  for (let at = from; at < to; at += ENTRY_BYTES) {
    const name = NAMES[bytes.readUInt16BE(at) - 1];
    if (name !== undefined) settings[name] = checked(name, bytes.readUInt32BE(at + 2));
  }
}

function checked(name: keyof Settings, value: number): number {
  if (name === 'enablePush' && value > 1) throw wrong(ERROR.PROTOCOL_ERROR, name, value, '0 or 1');
  if (name === 'initialWindowSize' && value > MAX_31)
    throw wrong(ERROR.FLOW_CONTROL_ERROR, name, value, `at most ${MAX_31}`);
  if (name === 'maxFrameSize' && (value < MIN_FRAME_BYTES || value > MAX_FRAME_BYTES))
    throw wrong(ERROR.PROTOCOL_ERROR, name, value, `${MIN_FRAME_BYTES} to ${MAX_FRAME_BYTES}`);
  return value;
}

function wrong(code: number, name: string, found: number, expected: string): Http2Error {
  return new Http2Error(code, `the setting ${name} is ${found}; expected ${expected}`);
}
