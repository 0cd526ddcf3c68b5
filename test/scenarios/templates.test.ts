import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';
import { afterAll, describe, expect, test } from 'vitest';
import { loadScenario } from '../../scenarios/load.js';
import { planTrials } from '../../scenarios/plan.js';
import { scenarioTemplate, strategyTemplate } from '../../scenarios/templates.js';
import type { StrategyDefinition } from '../../servers/strategies/contract.js';
import { strategyContract } from '../contracts/strategy.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'servemark templates '));
afterAll(() => rmSync(folder, { recursive: true }));

describe('the strategy that init writes', async () => {
  const { problems, javascript } = compile(
    join(root, 'servers/strategies/my-batcher.ts'),
    strategyTemplate('my-batcher'),
  );

  test('compiles against the contract under the strictest options, as it stands', () => {
    expect(problems).toEqual([]);
  });

  strategyContract(await load(javascript));
});

test('the scenario that init writes is sound, with a zoo model and with a file', () => {
  for (const model of [undefined, './my "own".onnx']) {
    const file = join(folder, 'my-scenario.yaml');
    writeFileSync(file, scenarioTemplate(model));
    expect(planTrials(loadScenario(file)).length).toBeGreaterThan(3 * 4 * 3);
  }
});

/** Compiles one file as if it lay at `path`, with the repository's own options; the rest is read from disk. */
function compile(path: string, text: string): { problems: string[]; javascript: string } {
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config as object;
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  Object.assign(options, { incremental: false, sourceMap: false });
  delete options.tsBuildInfoFile;
  const host = ts.createCompilerHost(options);
  const readFile = host.getSourceFile.bind(host);
  host.fileExists = (name) => name === path || ts.sys.fileExists(name);
  host.getSourceFile = (name, language, ...rest) =>
    name === path ? ts.createSourceFile(name, text, language) : readFile(name, language, ...rest);
  let javascript = '';
  host.writeFile = (name, content) => {
    if (name.endsWith('my-batcher.js')) javascript = content;
  };
  const program = ts.createProgram([path], options, host);
  const source = program.getSourceFile(path)!;
  const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
  program.emit(source);
  return { problems: found.map((each) => ts.flattenDiagnosticMessageText(each.messageText, '\n')), javascript };
}

/** Runs it beside the compiled strategies, its neighbours found where they lie. */
async function load(javascript: string): Promise<StrategyDefinition> {
  const neighbours = pathToFileURL(join(root, 'dist/servers/strategies/'));
  const zod = import.meta.resolve('zod');
  const path = join(folder, 'my-batcher.mjs');
  writeFileSync(
    path,
    javascript
      .replaceAll(/from '(\.[^']*)'/g, (_, to: string) => `from '${new URL(to, neighbours)}'`)
      .replace("from 'zod'", `from '${zod}'`),
  );
  const { myBatcher } = (await import(/* @vite-ignore */ pathToFileURL(path).href)) as {
    myBatcher: StrategyDefinition;
  };
  return myBatcher;
}
