import { escapeControls } from './escape.js';

/** Text as it may stand in LaTeX, tables and captions included: no command, no line break, only characters that pdfLaTeX has. */
export function escapeLatex(text: string): string {
  return [...escapeControls(text).replaceAll(/\s+/g, ' ')].map((character) => ESCAPES[character] ?? character).join('');
}

/** What is special to LaTeX, and signs of ours that its fonts lack without further packages. */
const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '{': '\\{',
  '}': '\\}',
  $: '\\$',
  '&': '\\&',
  '#': '\\#',
  '%': '\\%',
  _: '\\_',
  '^': '\\textasciicircum{}',
  '~': '\\textasciitilde{}',
  '<': '\\textless{}',
  '>': '\\textgreater{}',
  '|': '\\textbar{}',
  '"': '\\textquotedbl{}',
  '`': '\\textasciigrave{}',
  '[': '{[}',
  ']': '{]}',
  '×': '\\ensuremath{\\times}',
  '≤': '\\ensuremath{\\le}',
  '≥': '\\ensuremath{\\ge}',
  '−': '\\ensuremath{-}',
  '±': '\\ensuremath{\\pm}',
  '→': '\\ensuremath{\\rightarrow}',
  '≈': '\\ensuremath{\\approx}',
  Σ: '\\ensuremath{\\Sigma}',
  λ: '\\ensuremath{\\lambda}',
  ρ: '\\ensuremath{\\rho}',
  '·': '\\textperiodcentered{}',
  µ: '\\textmu{}',
  μ: '\\textmu{}',
  '–': '--',
  '—': '---',
  '…': '\\dots{}',
  '⚠': '\\textbf{!}',
  '�': '?',
  '’': "'",
};
