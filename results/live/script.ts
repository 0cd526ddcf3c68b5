/** The page's program, as it is sent: plain JavaScript, no framework. Texts that come in are set as text, never as markup. */
export const SCRIPT = `
'use strict';
const byId = (id) => document.getElementById(id);
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const KINDS = {
  rate: { series: ['answers/s'], of: (s) => [s.ratePerSecond] },
  latency: { series: ['p50', 'p90', 'p99'], log: true, of: (s) => [s.p50Ns, s.p90Ns, s.p99Ns].map((ns) => ns === null ? null : ns / 1e6) },
  outstanding: { series: ['outstanding'], of: (s) => [s.outstanding] },
  device: { series: [], of: (s) => KINDS.device.series.map((name) => s.device[name] ?? null) },
};
let samples = [], borders = [], charts = {}, drawn = 0;

function reset() {
  samples = []; borders = [];
  KINDS.device.series = [];
  byId('outcomes').replaceChildren();
  byId('finished').hidden = true;
  for (const name of Object.keys(charts)) { charts[name].destroy(); delete charts[name]; }
}

const takers = {
  trial(event) {
    borders.push(event.t);
    // A gap, so that no line joins two trials.
    samples.push({ t: event.t, gap: true });
    byId('status').textContent = 'trial ' + (event.index + 1) + ' of ' + event.total + ': ' + event.title;
    byId('status').dataset.title = byId('status').textContent;
    byId('progress').value = 0;
  },
  sample(event) {
    for (const name of Object.keys(event.device)) if (!KINDS.device.series.includes(name)) {
      KINDS.device.series.push(name);
      if (charts.device) { charts.device.destroy(); delete charts.device; }
    }
    samples.push(event);
    byId('progress').value = event.fraction;
    byId('status').textContent = (byId('status').dataset.title || '') + ' · ' + event.phase + (event.errors ? ' · ' + event.errors + ' errors' : '');
  },
  outcome(event) {
    byId('finished').hidden = false;
    const row = document.createElement('tr');
    const cell = (text, kind) => { const td = document.createElement('td'); td.textContent = text; if (kind) td.className = kind; row.append(td); };
    cell(event.title);
    cell(event.state, event.state === 'VALID' ? 'good' : 'bad');
    cell(event.ratePerSecond === null ? '–' : Math.round(event.ratePerSecond).toLocaleString('en-US'), 'right');
    cell(duration(event.p50Ns), 'right');
    cell(duration(event.p99Ns), 'right');
    cell(event.remark);
    byId('outcomes').append(row);
  },
  note(event) { byId('status').textContent = event.text; },
  async end(event) {
    source.close();
    byId('progress').value = 1;
    byId('status').textContent = 'The run is ' + event.state + '.';
    const end = byId('end');
    end.hidden = false;
    end.textContent = 'Results: ' + event.folder;
    if (!event.report) return;
    // Kept here: the server goes away with the run, and this page may not.
    const text = await (await fetch('/report')).text();
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([text], { type: 'text/html' }));
    link.textContent = 'Open the report';
    end.replaceChildren(link, document.createTextNode(' (' + event.folder + '/report.html)'));
  },
};

function duration(ns) {
  if (ns === null) return '–';
  const [unit, by] = ns < 1e3 ? ['ns', 1] : ns < 1e6 ? ['µs', 1e3] : ns < 1e9 ? ['ms', 1e6] : ['s', 1e9];
  return Number((ns / by).toPrecision(3)) + ' ' + unit;
}

function take(events) {
  for (const event of events) takers[event.kind]?.(event);
  // One drawing a frame, however many messages came.
  drawn || (drawn = requestAnimationFrame(() => { drawn = 0; draw(); }));
}

function draw() {
  const t = samples.map((sample) => sample.t);
  for (const [name, kind] of Object.entries(KINDS)) {
    const box = byId(name);
    box.hidden = kind.series.length === 0;
    if (box.hidden) continue;
    const columns = kind.series.map(() => []);
    for (const sample of samples) {
      const values = sample.gap ? kind.series.map(() => null) : kind.of(sample);
      values.forEach((value, i) => columns[i].push(kind.log && value !== null && value <= 0 ? null : value));
    }
    const data = [t, ...columns];
    if (charts[name]) charts[name].setData(data);
    else charts[name] = make(name, kind, box.querySelector('.plot'), data);
  }
}

function make(name, kind, box, data) {
  const axis = { stroke: css('--faint'), grid: { stroke: css('--grid'), width: 1 }, ticks: { stroke: css('--grid'), width: 1 }, font: '12px system-ui, sans-serif' };
  const options = {
    width: box.clientWidth, height: 190, cursor: { sync: { key: 'servemark' } },
    scales: { x: { time: false }, y: kind.log ? { distr: 3 } : { range: (u, min, max) => [0, max > 0 ? max * 1.08 : 1] } },
    axes: [{ ...axis, values: (u, list) => list.map((v) => v + ' s') }, { ...axis, size: 58, values: (u, list) => list.map((v) => v === null ? '' : Number(v.toPrecision(3)).toLocaleString('en-US')) }],
    series: [{ label: 't (s)', value: (u, v) => v === null ? '–' : v.toFixed(1) }, ...kind.series.map((label, i) => ({
      label, stroke: css('--c' + (i % 6)), width: 1.5, points: { show: false }, value: (u, v) => v === null || v === undefined ? '–' : Number(v.toPrecision(3)).toLocaleString('en-US'),
    }))],
    hooks: { drawAxes: [(u) => {
      u.ctx.save(); u.ctx.strokeStyle = css('--line'); u.ctx.setLineDash([4, 4]); u.ctx.beginPath();
      for (const at of borders) { const x = Math.round(u.valToPos(at, 'x', true)); if (x > u.bbox.left && x < u.bbox.left + u.bbox.width) { u.ctx.moveTo(x, u.bbox.top); u.ctx.lineTo(x, u.bbox.top + u.bbox.height); } }
      u.ctx.stroke(); u.ctx.restore();
    }] },
  };
  return new uPlot(options, data, box);
}

new ResizeObserver(() => {
  for (const [name, chart] of Object.entries(charts)) chart.setSize({ width: byId(name).querySelector('.plot').clientWidth, height: 190 });
}).observe(byId('charts'));
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  for (const name of Object.keys(charts)) { charts[name].destroy(); delete charts[name]; }
  draw();
});

const source = new EventSource('/events');
source.addEventListener('history', (message) => { reset(); take(JSON.parse(message.data)); });
source.addEventListener('events', (message) => take(JSON.parse(message.data)));
source.onerror = () => { if (byId('end').hidden) byId('status').textContent = 'The run does not answer any more; what came until now stays.'; };
`;
