/** The live page's style sheet; charts take their colours from its variables. */
export const LOOK = `
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1f2328; --faint: #59636e; --line: #d5dae0; --soft: #f5f7f9;
  --good: #0b6b3a; --bad: #a3241b; --accent: #0a66b2;
  --c0: #0a66b2; --c1: #c2500a; --c2: #0b7a5b; --c3: #a13a86; --c4: #7a6400; --c5: #5b4bb5; --grid: #e4e8ec; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14181d; --ink: #e6edf3; --faint: #9da7b1; --line: #363e48; --soft: #1c2229;
    --good: #6fdc9e; --bad: #ff9d94; --accent: #6db6f2;
    --c0: #6db6f2; --c1: #f2935c; --c2: #4fc9a4; --c3: #e08ac8; --c4: #d6bd45; --c5: #a79bf0; --grid: #2a3139; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 75rem; padding: 1.25rem 1rem 3rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.35rem; line-height: 1.25; margin: 0 0 .4rem; overflow-wrap: anywhere; text-wrap: balance; }
h2 { font-size: 1.1rem; margin: 1.5rem 0 .5rem; }
#status { margin: 0 0 .4rem; color: var(--faint); min-height: 1.5em; }
#end { font-weight: 600; }
a { color: var(--accent); }
progress { width: 100%; height: .5rem; accent-color: var(--accent); }
#charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: 1rem 1.5rem; margin-top: 1rem; }
figure { margin: 0; min-width: 0; overflow: hidden; }
figcaption { font-size: .875rem; color: var(--faint); }
.plot { min-height: 190px; }
.u-legend { font-size: .8125rem; text-align: left !important; color: var(--ink); font-variant-numeric: tabular-nums; }
.u-legend th { font-weight: 500; padding: 2px 4px; }
.u-series > * { padding: 2px 4px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
#finished th, #finished td { padding: .3rem .7rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; white-space: nowrap; }
#finished td:last-child { white-space: normal; min-width: 16rem; color: var(--faint); }
#finished .right { text-align: right; }
#finished thead th { color: var(--faint); font-weight: 600; }
.good { color: var(--good); } .bad { color: var(--bad); font-weight: 600; }
footer { margin-top: 2rem; color: var(--faint); font-size: .8125rem; }
@media (max-width: 40rem) { body { padding: .75rem .6rem 2rem; } h1 { font-size: 1.15rem; } }
`;
