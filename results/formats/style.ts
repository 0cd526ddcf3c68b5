import { darkRules } from './chart.js';

/** The page's style sheet. No font and no picture is fetched; colours follow the reader's preference. */
export const STYLE = `
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1f2328; --faint: #59636e; --line: #d5dae0; --soft: #f5f7f9;
  --good: #0b6b3a; --good-ground: #e3f5ea; --bad: #a3241b; --bad-ground: #fdecea; --accent: #0a66b2; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14181d; --ink: #e6edf3; --faint: #9da7b1; --line: #363e48; --soft: #1c2229;
    --good: #6fdc9e; --good-ground: #17352a; --bad: #ff9d94; --bad-ground: #3d1f1e; --accent: #6db6f2; }
  ${darkRules('.chart ')}
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 68rem; padding: 1.5rem 1rem 4rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .5rem; overflow-wrap: anywhere; text-wrap: balance; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .75rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); }
p, ul { max-width: 48rem; margin: .75rem 0; overflow-wrap: anywhere; }
ul { padding-left: 1.25rem; }
li { margin: .35rem 0; }
a { color: var(--accent); }
td a { color: inherit; text-decoration: none; }
td a:hover { text-decoration: underline; }
:target, :target ~ td { background: var(--soft); }
code { font: .88em ui-monospace, monospace; overflow-wrap: anywhere; }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: 6px; padding: .75rem 1rem; overflow-x: auto; }
.facts { color: var(--faint); font-size: .9rem; }
.facts span:not(:last-child)::after { content: " ·"; }
.notice { background: var(--bad-ground); color: var(--bad); border-radius: 6px; padding: .6rem 1rem; font-weight: 600; }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1rem; font-size: .9rem; }
#headline > p:first-of-type { font-size: 1.1rem; }
.scroll { overflow-x: auto; margin: 1rem 0 1.5rem; max-width: 100%; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: 0 0 .4rem; position: sticky; left: 0; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--line); vertical-align: top; white-space: nowrap; }
thead th { color: var(--faint); font-weight: 600; }
tbody th { font-weight: 500; position: sticky; left: 0; background: var(--paper); min-width: 11rem; max-width: 18rem;
  white-space: normal; overflow-wrap: break-word; }
.left { text-align: left; } .right { text-align: right; }
.long { white-space: normal; min-width: 16rem; max-width: 30rem; overflow-wrap: anywhere; }
.good { background: var(--good-ground); color: var(--good); font-weight: 600; }
.bad { color: var(--bad); } .dim { color: var(--faint); }
.charts { display: flex; flex-wrap: wrap; gap: 1rem 2rem; margin: 1rem 0; }
.chart { margin: 0; max-width: 100%; }
.chart svg { display: block; max-width: 100%; height: auto; }
.chart figcaption { color: var(--faint); font-size: .85rem; max-width: 24rem; }
@media (max-width: 40rem) {
  body { padding: 1rem .75rem 3rem; }
  h1 { font-size: 1.3rem; }
  tbody th { min-width: 7.5rem; max-width: 9.5rem; overflow-wrap: anywhere; }
  .long { min-width: 13rem; }
}
@media print { nav { display: none; } .scroll { overflow: visible; } section { break-inside: avoid-page; } }
`;
