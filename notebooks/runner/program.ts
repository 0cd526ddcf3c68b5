import ts from 'typescript';

/** A cell that can't become part of a program; `cell` counts all cells from 1. */
export class CellError extends Error {
  override readonly name = 'CellError';

  constructor(
    readonly cell: number,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

export interface NumberedCell {
  /** Place in the notebook, from 1. */
  readonly cell: number;
  readonly source: string;
}

/**
 * All code cells as one JavaScript module that runs them in order and shares their names, as a kernel does: `__notebook.begin(n)`
 * before each, `__notebook.show(value)` with the value of a final expression. Imports happen where they stand. Cells may import
 * `node:` modules and, from `../dist/results/`, what results has; `resolve` says where that lies. Throws CellError.
 */
export function program(cells: readonly NumberedCell[], resolve: (specifier: string) => string): string {
  const names = new Map<string, number>();
  const parts = cells.map(({ cell, source }) => {
    const file = ts.createSourceFile('cell.ts', source, ts.ScriptTarget.ES2022, true);
    for (const name of file.statements.flatMap(declaredNames)) {
      const other = names.get(name);
      if (other !== undefined && other !== cell)
        throw new CellError(cell, `"${name}" is declared in cell ${other} already`);
      names.set(name, cell);
    }
    return [`__notebook.begin(${cell});`, ...statements(file, cell, resolve)].join('\n');
  });
  return parts.map((part, at) => transpiled(part, cells[at]!.cell)).join('\n');
}

function statements(file: ts.SourceFile, cell: number, resolve: (specifier: string) => string): string[] {
  return file.statements.map((statement, at) => {
    const text = statement.getFullText();
    if (ts.isImportDeclaration(statement)) return importText(statement, cell, resolve);
    if (at < file.statements.length - 1 || !ts.isExpressionStatement(statement)) return text;
    return `__notebook.show(await (${statement.expression.getText()}\n));`;
  });
}

/** `import { a as b } from 'x'` → `const { a: b } = …`. */
function importText(statement: ts.ImportDeclaration, cell: number, resolve: (specifier: string) => string): string {
  const specifier = (statement.moduleSpecifier as ts.StringLiteral).text;
  const allowed = specifier.startsWith('node:') || /^\.\.\/dist\/results\/[\w/-]+\.js$/.test(specifier);
  if (!allowed)
    throw new CellError(cell, `imports "${specifier}"; notebooks import from ../dist/results/ and node: only`);
  const clause = statement.importClause;
  if (clause?.phaseModifier === ts.SyntaxKind.TypeKeyword) return '';
  const bindings = clause?.namedBindings;
  const from = `await import(${JSON.stringify(resolve(specifier))})`;
  if (bindings && ts.isNamespaceImport(bindings)) return `const ${bindings.name.text} = ${from};`;
  if (clause?.name || !bindings) throw new CellError(cell, `imports "${specifier}" in a way that is not supported`);
  const wanted = bindings.elements.filter((element) => !element.isTypeOnly);
  const pairs = wanted.map(({ propertyName, name }) => `${(propertyName ?? name).text}: ${name.text}`);
  const needed = wanted.map(({ propertyName, name }) => (propertyName ?? name).text);
  const checked = `__notebook.having(${from}, ${JSON.stringify(needed)}, ${JSON.stringify(specifier)})`;
  return `const { ${pairs.join(', ')} } = ${checked};`;
}

function declaredNames(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement))
    return statement.declarationList.declarations.flatMap(({ name }) => boundNames(name));
  if ((ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) && statement.name)
    return [statement.name.text];
  if (!ts.isImportDeclaration(statement)) return [];
  const bindings = statement.importClause?.namedBindings;
  if (!bindings) return [];
  return ts.isNamespaceImport(bindings) ? [bindings.name.text] : bindings.elements.map(({ name }) => name.text);
}

function boundNames(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (ts.isOmittedExpression(element) ? [] : boundNames(element.name)));
}

function transpiled(text: string, cell: number): string {
  const { outputText, diagnostics = [] } = ts.transpileModule(text, {
    reportDiagnostics: true,
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  });
  const [first] = diagnostics;
  if (first) throw new CellError(cell, ts.flattenDiagnosticMessageText(first.messageText, ' '));
  return outputText.replace(/^export \{\};$/m, '');
}
