/** How a course of values is read: a counter only grows and is told by its differences, a gauge stands for its instant. */
export type ReadingKind = 'gauge' | 'counter';

/** One course of values: who read it, of what, what it is. */
export interface Series {
  /** The monitor: `proc`, `nvml` … */
  readonly source: string;
  /** What was read: a process role (`server`, `workers`, `load`), `host`, `cgroup`, `gpu0`, a scraped target. */
  readonly subject: string;
  readonly metric: string;
  /** `s`, `bytes`, `count`, `%`, `W`, `J`, `MHz`, `°C`, `ns`; empty where a scraped page does not tell. */
  readonly unit: string;
  readonly kind: ReadingKind;
}

/** A span of time in ns since t = 0. */
export interface Span {
  readonly fromNs: number;
  readonly toNs: number;
}

/** One value at its instant; null is a gap, with its reason. */
export interface Point {
  readonly atNs: number;
  readonly value: number | null;
  readonly reason?: string | undefined;
}

/**
 * What the monitors of a trial read, in long form: one row a value, in columns. `atNs` counts from the load's t = 0: what was
 * read before (start-up, warm-up) is negative. A value that could not be read is NaN here and null in the file.
 */
export class Readings {
  readonly series: Series[] = [];
  /** Rows in use. */
  length = 0;
  atNs = new Float64Array(FIRST_ROWS);
  value = new Float64Array(FIRST_ROWS);
  /** Index into `series`. */
  seriesOf = new Uint16Array(FIRST_ROWS);
  /** Index into `reasons`; 0 = none. */
  reasonOf = new Uint16Array(FIRST_ROWS);
  readonly reasons: string[] = [''];
  /** When nothing was asked of the server yet, where that was waited for (energy.ts). */
  idle: Span | undefined;
  readonly #known = new Map<string, number>();
  #index: { readonly length: number; readonly rows: readonly (readonly number[])[] } = { length: 0, rows: [] };

  /** The number of a series, added where it is new. */
  open(series: Series): number {
    const key = keyOf(series);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    this.#known.set(key, this.series.length);
    return this.series.push(series) - 1;
  }

  add(series: number, atNs: number, value: number | null, reason = ''): void {
    if (this.length === this.atNs.length) this.#grow();
    const row = this.length++;
    this.atNs[row] = atNs;
    this.value[row] = value ?? Number.NaN;
    this.seriesOf[row] = series;
    this.reasonOf[row] = reason === '' ? 0 : this.#reasonNumber(reason);
  }

  /** Makes `originNs` the new t = 0. */
  shift(originNs: number): void {
    for (let row = 0; row < this.length; row++) this.atNs[row]! -= originNs;
    if (this.idle) this.idle = { fromNs: this.idle.fromNs - originNs, toNs: this.idle.toNs - originNs };
  }

  /** Series by what is told of them; all that fit. */
  find(wanted: Partial<Series>): Series[] {
    const keys = Object.keys(wanted) as (keyof Series)[];
    return this.series.filter((series) => keys.every((key) => series[key] === wanted[key]));
  }

  /** The values of a series as they were read, in order of time. */
  points(wanted: Series): Point[] {
    const rows = this.#rowsBySeries()[this.#known.get(keyOf(wanted)) ?? -1] ?? [];
    return rows.map((row) => {
      const value = this.value[row]!;
      const reason = this.reasons[this.reasonOf[row]!];
      return { atNs: this.atNs[row]!, value: Number.isNaN(value) ? null : value, ...(reason ? { reason } : {}) };
    });
  }

  #rowsBySeries(): readonly (readonly number[])[] {
    if (this.#index.length === this.length) return this.#index.rows;
    const rows = this.series.map((): number[] => []);
    for (let row = 0; row < this.length; row++) rows[this.seriesOf[row]!]!.push(row);
    this.#index = { length: this.length, rows };
    return rows;
  }

  #reasonNumber(reason: string): number {
    const known = this.reasons.indexOf(reason);
    return known >= 0 ? known : this.reasons.push(reason) - 1;
  }

  #grow(): void {
    const double = <Column extends Float64Array | Uint16Array>(old: Column, column: Column): Column => {
      column.set(old as never);
      return column;
    };
    const rows = this.length * 2;
    this.atNs = double(this.atNs, new Float64Array(rows));
    this.value = double(this.value, new Float64Array(rows));
    this.seriesOf = double(this.seriesOf, new Uint16Array(rows));
    this.reasonOf = double(this.reasonOf, new Uint16Array(rows));
  }
}

const FIRST_ROWS = 1024;

/**
 * A series as a chart draws it: a gauge's values, a counter's growth a second between neighbours (`cpuUser` in s becomes
 * cores). A gap stays a gap; a counter that fell was set back, and that step is a gap too.
 */
export function course(readings: Readings, series: Series): Point[] {
  const points = readings.points(series);
  if (series.kind === 'gauge') return points;
  return points.slice(1).flatMap((point, i): Point[] => {
    const before = points[i]!;
    const seconds = (point.atNs - before.atNs) / 1e9;
    if (seconds <= 0) return [];
    if (point.value === null || before.value === null)
      return [{ atNs: point.atNs, value: null, reason: point.reason ?? before.reason }];
    if (point.value < before.value) return [{ atNs: point.atNs, value: null, reason: 'the counter was set back' }];
    return [{ atNs: point.atNs, value: (point.value - before.value) / seconds }];
  });
}

/**
 * A counter's value at an instant between two readings, linear between them. Null, with the reason, where no reading lies on
 * either side or the neighbours are a gap.
 */
export function counterAt(points: readonly Point[], atNs: number): Point {
  const after = points.findIndex((point) => point.atNs >= atNs);
  const right = points[after];
  if (right?.atNs === atNs) return right;
  const left = points[after - 1];
  if (!left || !right) return { atNs, value: null, reason: 'no reading on both sides of the window’s edge' };
  if (left.value === null || right.value === null)
    return { atNs, value: null, reason: left.reason ?? right.reason ?? 'a gap at the window’s edge' };
  const share = (atNs - left.atNs) / (right.atNs - left.atNs);
  return { atNs, value: left.value + share * (right.value - left.value) };
}

function keyOf({ source, subject, metric }: Series): string {
  return `${source}\n${subject}\n${metric}`;
}
