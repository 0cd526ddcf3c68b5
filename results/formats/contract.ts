import type { Measurement } from '../measurements.js';
import type { Block } from '../views/index.js';

/** A report before it has a format: what the views answered, under a title. */
export interface Report {
  /** The scenario's question. */
  readonly title: string;
  /** Short facts under the title: scenario, date, machine. */
  readonly facts: readonly string[];
  /** What a reader must know before any number: simulated, interrupted. */
  readonly notices: readonly string[];
  readonly sections: readonly Section[];
  /** Every number of every trial, for formats that machines read. */
  readonly measurements?: readonly Measurement[] | undefined;
  /** A trial's folder, relative to where the report lies; absent: `trials/<id>` beside it. */
  readonly trialPath?: ((trialId: string) => string) | undefined;
}

/** What one view answered. */
export interface Section {
  /** The view's name; an anchor. */
  readonly name: string;
  readonly blocks: readonly Block[];
}

export interface RenderOptions {
  /** Escape sequences in terminal text. Default false. */
  readonly colour?: boolean | undefined;
  /** Figures also as PNG, where `@resvg/resvg-js` is installed. Default false. */
  readonly png?: boolean | undefined;
  /** Columns of terminal text. Default 100. */
  readonly width?: number | undefined;
}

export interface Rendered {
  readonly text: string;
  /** Files that the text refers to, by path relative to it. */
  readonly files: readonly { readonly path: string; readonly content: string | Uint8Array }[];
}

/** A way of showing a report. One file, one line in the registry. */
export interface FormatDefinition {
  readonly name: string;
  readonly summary: string;
  /** Of the file, without dot. */
  readonly extension: string;
  /** The views that have room in it. */
  readonly views: 'all' | readonly string[];
  render(report: Report, options: RenderOptions): Promise<Rendered>;
}
