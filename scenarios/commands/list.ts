import pc from 'picocolors';
import { UserError } from '../../results/errors.js';
import { unknownName } from '../../results/lookup.js';
import { type CatalogueEntry, catalogue, optionLines } from '../catalogue.js';
import type { CommandDefinition } from '../contract.js';
import { EXIT } from '../contract.js';
import { scenarioJsonSchema } from '../json-schema.js';

export const listCommand: CommandDefinition = {
  name: 'list',
  summary: 'show every registered thing: strategies, loads, transports … with options and defaults',
  configure(command, finish) {
    command
      .argument('[kind]', `one of ${Object.keys(catalogue).join(', ')}`)
      .argument('[name]', 'one entry')
      .option('--json', 'as JSON')
      .option('--json-schema', 'the JSON Schema of scenario files, for editors')
      .action((kind: string | undefined, name: string | undefined, options: { json?: boolean; jsonSchema?: boolean }) =>
        finish(list(kind, name, options)),
      );
  },
};

async function list(
  kind: string | undefined,
  name: string | undefined,
  options: { json?: boolean; jsonSchema?: boolean },
): Promise<number> {
  if (options.jsonSchema) {
    process.stdout.write(`${JSON.stringify(scenarioJsonSchema(), null, 2)}\n`);
    return EXIT.done;
  }
  const kinds = Object.keys(catalogue);
  if (kind !== undefined && !kinds.includes(kind))
    throw new UserError(unknownName('servemark list', 'kind', kind, kinds));
  const chosen = (kind === undefined ? kinds : [kind]).map((each) => ({
    kind: each,
    entries: catalogue[each]!.filter((entry) => name === undefined || entry.name === name),
  }));
  if (name !== undefined && chosen.every((each) => each.entries.length === 0))
    throw new UserError(unknownName(`servemark list ${kind}`, 'entry', name, catalogue[kind!]!));
  process.stdout.write(
    options.json
      ? `${JSON.stringify(asJson(chosen), null, 2)}\n`
      : chosen.map((each) => section(each.kind, each.entries, kind !== undefined)).join('\n'),
  );
  return EXIT.done;
}

function section(kind: string, entries: readonly CatalogueEntry[], detailed: boolean): string {
  const width = Math.max(0, ...entries.map((entry) => entry.name.length));
  const lines = entries.flatMap((entry) => [
    `  ${pc.cyan(entry.name.padEnd(width))}  ${entry.summary}`,
    ...(detailed || entry.options ? options(entry, width) : []),
  ]);
  return `${pc.bold(kind)}\n${lines.join('\n')}\n`;
}

function options(entry: CatalogueEntry, indent: number): string[] {
  return optionLines(entry).map(({ name, type, fallback, original }) => {
    const asOriginal = original && original !== name ? pc.dim(`  (${original})`) : '';
    return `  ${' '.repeat(indent)}    ${name}: ${type}, ${fallback === 'required' ? pc.yellow('required') : `default ${fallback}`}${asOriginal}`;
  });
}

function asJson(chosen: readonly { kind: string; entries: readonly CatalogueEntry[] }[]): unknown {
  return Object.fromEntries(
    chosen.map(({ kind, entries }) => [
      kind,
      entries.map((entry) => ({ name: entry.name, summary: entry.summary, options: optionLines(entry) })),
    ]),
  );
}
