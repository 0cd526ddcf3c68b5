import { gunzipSync, inflateRawSync } from 'node:zlib';

/** The content of one file of a .tgz (npm) or a wheel (a zip); undefined where it holds no such file. Throws where it is neither. */
export function fileInArchive(archive: Buffer, path: string): Buffer | undefined {
  return openArchive(archive)(path);
}

/** The same of several files: a .tgz is unpacked once. */
export function openArchive(archive: Buffer): (path: string) => Buffer | undefined {
  if (archive.readUInt16BE(0) === 0x1f8b) {
    const tar = gunzipSync(archive);
    return (path) => fileInTar(tar, path);
  }
  if (archive.readUInt32LE(0) === 0x04034b50) return (path) => fileInZip(archive, path);
  throw new Error('it is neither a .tgz nor a zip');
}

/** ustar, as npm writes it: a header of 512 bytes, the content, padding to 512. */
function fileInTar(tar: Buffer, path: string): Buffer | undefined {
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const text = (from: number, length: number) => tar.toString('utf8', at + from, at + from + length).split('\0')[0]!;
    const size = Number.parseInt(text(124, 12).trim(), 8);
    if (!Number.isFinite(size)) throw new Error('its tar has a header without a size');
    const prefix = text(345, 155);
    const name = prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`;
    if (name === path) return tar.subarray(at + 512, at + 512 + size);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return undefined;
}

/** By the central directory, whose sizes are right also where an entry's own header leaves them to a descriptor. */
function fileInZip(zip: Buffer, path: string): Buffer | undefined {
  const end = zip.lastIndexOf(Buffer.from('PK\u0005\u0006', 'latin1'));
  if (end < 0) throw new Error('its zip has no directory');
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const [name, extra, comment] = [28, 30, 32].map((offset) => zip.readUInt16LE(at + offset)) as [
      number,
      number,
      number,
    ];
    if (zip.toString('utf8', at + 46, at + 46 + name) === path) {
      const [method, size, local] = [zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 20), zip.readUInt32LE(at + 42)];
      const from = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
      const packed = zip.subarray(from, from + size);
      if (method !== 0 && method !== 8) throw new Error(`its zip packs ${path} by method ${method}`);
      return method === 8 ? inflateRawSync(packed) : packed;
    }
    at += 46 + name + extra + comment;
  }
  return undefined;
}
