import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { describe, expect, it } from 'vitest';
import { escapeLatex } from '../../../results/formats/escape-latex.js';
import { renderReport } from '../../../results/report.js';
import type { StoredRun } from '../../../results/run.js';
import { which } from '../../../results/which.js';
import { fakeRun } from '../../fakes/runs.js';

const pdflatex = which('pdflatex');
if (pdflatex === undefined) console.log('skipped: compiling the LaTeX report (no pdflatex on PATH)');

const fake = fakeRun({ repeats: 2, loads: ['half', 'over'], requests: 700, transports: ['grpc'] });

describe('LaTeX', () => {
  it('has no character left that LaTeX would act upon', () => {
    const text = escapeLatex('a_b & 50 % of $x^2 ~ {y} #1 \\input{z} < > | "q" `c` [o]');
    const harmless = text.replaceAll(/\\(?:[{}&%$#_]|[a-z]+\{\})/gi, '').replaceAll(/\{[[\]]\}/g, '');
    expect(harmless).not.toMatch(/[\\{}$&#%_^~<>|"`]/);
  });

  it('is a whole document: groups close, rows have as many cells as columns, figures and labels exist once', async () => {
    const { text, files } = await renderReport(fake.run, 'latex', fake);
    expect(text).toMatch(/^%.*\n\\documentclass[\s\S]*\\begin\{document\}[\s\S]*\\end\{document\}\n$/);
    const open: string[] = [];
    for (const [, kind, name] of text.matchAll(/\\(begin|end)\{([a-z]+)\}/g)) {
      if (kind === 'begin') open.push(name!);
      else expect(open.pop()).toBe(name);
    }
    expect(open).toEqual([]);
    const bare = text.replaceAll(/^%.*$/gm, '').replaceAll(/\\[\\{}%&]/g, '');
    expect(bare.split('{').length).toBe(bare.split('}').length);
    const tables = [...text.matchAll(/\\begin\{(longtable|tabular)\}\{@\{\}(.*)@\{\}\}\n([\s\S]*?)\\end\{\1\}/g)];
    expect(tables.length).toBeGreaterThan(5);
    for (const [, , spec, body] of tables) {
      const columns = spec!.replaceAll(/>\{[^}]*\}/g, '').replaceAll(/p\{[^}]*\}/g, 'p').length;
      const rows = body!.split('\n').filter((line) => line.includes(' & '));
      for (const row of rows) expect(row.replaceAll('\\&', '').split('&')).toHaveLength(columns);
      expect(body).toMatch(/\\toprule[\s\S]*\\midrule[\s\S]*\\bottomrule/);
    }
    const labels = [...text.matchAll(/\\label\{([^}]+)\}/g)].map((match) => match[1]!);
    expect(new Set(labels).size).toBe(labels.length);
    const figures = [...text.matchAll(/\\servemarkfigure\{(figures\/[^}]+)\}/g)].map((match) => match[1]!);
    expect(figures.length).toBeGreaterThan(4);
    for (const figure of figures) {
      expect(figure).not.toContain('.');
      expect(files.some(({ path }) => path === `${figure}.svg`)).toBe(true);
    }
  });

  it('scales tables that are wider than the page to it, forty rows at a time', async () => {
    const { text } = await renderReport(fake.run, 'latex', fake);
    const kinds = [
      ...text.matchAll(/^ *(?:\\resizebox\{\\linewidth\}\{!\}\{)?\\begin\{(longtable|tabular)\}.*\n([\s\S]*?)\\end/gm),
    ];
    expect(new Set(kinds.map(([, kind]) => kind))).toEqual(new Set(['longtable', 'tabular']));
    for (const [, kind, body] of kinds)
      if (kind === 'tabular') expect(body!.split('\n').filter((line) => line.includes(' & ')).length).toBeLessThan(42);
  });

  it.skipIf(pdflatex === undefined)(
    'compiles, and nothing stands beyond the page',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'servemark-latex-'));
      try {
        const { text, files } = await renderReport(fake.run, 'latex', fake);
        mkdirSync(join(folder, 'figures'));
        for (const { path, content } of files) writeFileSync(join(folder, path), content);
        writeFileSync(join(folder, 'report.tex'), text.replaceAll('\\includesvg', '\\texttt'));
        const args = ['-interaction=nonstopmode', '-halt-on-error', '-no-shell-escape', 'report.tex'];
        const { status, stdout } = spawnSync(pdflatex!, args, { cwd: folder, encoding: 'utf8' });
        expect(status, stdout.slice(-2000)).toBe(0);
        const beyond = [...stdout.matchAll(/Overfull \\hbox \((\d+)/g)].map(([, points]) => Number(points));
        expect(Math.max(0, ...beyond)).toBeLessThan(60);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
    60_000,
  );

  it('names the trials of each row of figures', async () => {
    const { text } = await renderReport(fake.run, 'latex', fake);
    const rows = text.match(/^% trials: [^\n]*\nserial & /gm)!;
    expect(rows.length).toBeGreaterThan(3);
    expect(rows[0]).toContain('serial.half.grpc.r1 serial.half.grpc.r2');
  });

  it('shows hostile names as text', async () => {
    const hostile = JSON.parse(
      JSON.stringify(fake.run).replaceAll('"serial"', JSON.stringify('\\input{/etc/passwd} % $ \\end{longtable}')),
    ) as StoredRun;
    const { text } = await renderReport(hostile, 'latex', fake);
    expect(text).not.toContain('\\input');
    expect(text).toContain('\\textbackslash{}input\\{/etc/passwd\\} \\%');
  });
});

describe('Vega-Lite', () => {
  it('writes specifications that compile by themselves, data included', async () => {
    const { text, files } = await renderReport(fake.run, 'vega', fake);
    const { figures } = JSON.parse(text) as { figures: { name: string; spec: string }[] };
    expect(figures.length).toBeGreaterThan(4);
    for (const { spec } of figures) {
      const file = files.find(({ path }) => path === spec)!;
      const parsed = JSON.parse(String(file.content)) as TopLevelSpec & { $schema: string };
      expect(parsed.$schema).toMatch(/vega-lite\/v6/);
      expect(() => parse(compile(parsed).spec)).not.toThrow();
      expect(JSON.stringify(parsed)).not.toContain('"url"');
    }
  });
});

describe('PNG', () => {
  it('stands beside each SVG, where it can be made', async () => {
    const small = fakeRun({ repeats: 1, loads: ['half'], requests: 700, transports: ['grpc'] });
    const made = await renderReport(small.run, 'markdown', { ...small, png: true }).catch(String);
    if (typeof made === 'string') {
      console.log('skipped: @resvg/resvg-js is not installed here');
      expect(made).toContain('npm install @resvg/resvg-js');
      return;
    }
    const svgs = made.files.filter(({ path }) => path.endsWith('.svg'));
    expect(svgs.length).toBeGreaterThan(2);
    for (const { path } of svgs) {
      const png = made.files.find((file) => file.path === path.replace('.svg', '.png'))!;
      expect(
        Buffer.from(png.content as Uint8Array)
          .subarray(1, 4)
          .toString(),
      ).toBe('PNG');
    }
  });
});
