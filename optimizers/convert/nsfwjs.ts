import { readFileSync } from 'node:fs';
import { openArchive } from '../../results/archives.js';
import { messageOf, UserError } from '../../results/errors.js';
import type { OnnxModel } from '../onnx/index.js';
import { tfjsModel } from './reader.js';
import { convertSource } from './tfjs.js';

/** Models of layers in the npm package nsfwjs, weights in 8 bits. */
type NsfwjsModel = 'mobilenet_v2' | 'inception_v3';

/** A converter of the package's archive: images f32[N,224,224,3] or [N,299,299,3], 0 … 1, → five probabilities f32[N,5]. */
export function nsfwjs(model: NsfwjsModel): (archive: string) => OnnxModel {
  return (archive) => {
    const { json, shard } = openNsfwjs(archive, model);
    return convertSource(tfjsModel(json, shard, `${archive} ${model}`));
  };
}

/** The same net as files for the runtime tfjs: a model.json and its shards, weights in 8 bits as the package has them. */
export function nsfwjsFiles(model: NsfwjsModel): (archive: string) => ReadonlyMap<string, Uint8Array> {
  return (archive) => {
    const { json, shard } = openNsfwjs(archive, model);
    const names = (json.weightsManifest as readonly { paths: string[] }[]).flatMap(({ paths }) => paths);
    return new Map([
      ['model.json', Buffer.from(JSON.stringify(json))],
      ...names.map((name): [string, Buffer] => [name, shard(name)]),
    ]);
  };
}

/**
 * The model.json and its shards. The package has them as bundled modules (`….exports={…}`, `….exports="BASE64"`), which are
 * read as text and never run. Throws UserError where they are of another form.
 */
function openNsfwjs(
  archive: string,
  model: NsfwjsModel,
): { json: Readonly<Record<string, unknown>>; shard: (name: string) => Buffer } {
  const fileIn = openArchive(readFileSync(archive));
  const exported = (name: string): unknown => {
    const path = `package/dist/models/${model}/${name}.min.js`;
    const text = fileIn(path)?.toString('utf8') ?? '';
    const from = text.lastIndexOf('.exports=');
    const to = text.lastIndexOf('},{}]},{},[1])');
    try {
      return JSON.parse(jsonOf(text.slice(from + '.exports='.length, to)));
    } catch (error) {
      throw new UserError(
        {
          place: `${archive} ${path}`,
          found: `it exports no plain value (${messageOf(error)})`,
          remedy: 'Fetch it again',
        },
        { cause: error },
      );
    }
  };
  return {
    json: exported('model') as Readonly<Record<string, unknown>>,
    shard: (name) => Buffer.from(exported(name) as string, 'base64'),
  };
}

/** A minifier's literal as JSON: bare keys, `.5`, `!0` and `!1`. Texts stay as they are. */
function jsonOf(literal: string): string {
  return literal.replace(
    /"(?:[^"\\]|\\.)*"|!([01])|([A-Za-z_$][\w$]*)(?=:)|(?<![\w.])\.(?=\d)/g,
    (token, negated?: string, key?: string) => {
      if (negated !== undefined) return String(negated === '0');
      if (key !== undefined) return `"${key}"`;
      return token === '.' ? '0.' : token;
    },
  );
}
