import { escapeXml } from '../formats/escape.js';
import { LOOK } from './look.js';
import { SCRIPT } from './script.js';

/** The page: one document; uPlot and the events come from the same server, nothing from elsewhere. */
export function livePage(title: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeXml(title)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/uplot.css">
<style>${LOOK}</style>
</head>
<body>
<header>
<h1>${escapeXml(title)}</h1>
<p id="status" role="status">connecting …</p>
<progress id="progress" max="1" value="0" aria-label="Progress of the current trial"></progress>
<p id="end" hidden></p>
</header>
<main>
<div id="charts">
${CHARTS.map(({ id, label }) => `<figure id="${id}"><figcaption>${label}</figcaption><div class="plot"></div></figure>`).join('\n')}
</div>
<section aria-label="Finished trials" id="finished" hidden>
<h2>Finished trials</h2>
<div class="scroll" role="region" tabindex="0" aria-label="Finished trials"><table>
<thead><tr><th scope="col">trial</th><th scope="col">verdict</th><th scope="col" class="right">answers/s</th><th scope="col" class="right">p50</th><th scope="col" class="right">p99</th><th scope="col">remark</th></tr></thead>
<tbody id="outcomes"></tbody>
</table></div>
</section>
</main>
<footer>Live figures are of the last second and from counters with steps of 9 %; results are computed from the records, when a trial has ended.</footer>
<script src="/uplot.js"></script>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

const CHARTS = [
  { id: 'rate', label: 'Answers per second' },
  { id: 'latency', label: 'Latency, from the instant a request was due (ms)' },
  { id: 'outstanding', label: 'Requests sent and not yet answered' },
  { id: 'device', label: 'Processes (cores in use) and devices (1 = all of it)' },
] as const;
