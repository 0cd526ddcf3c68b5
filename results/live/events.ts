/** What the live page is told. Times are s since the page was opened by the run. */
export type LiveEvent =
  | {
      readonly kind: 'trial';
      readonly t: number;
      readonly title: string;
      readonly index: number;
      readonly total: number;
    }
  | LiveSample
  | {
      readonly kind: 'outcome';
      readonly title: string;
      /** `VALID`, `INVALID`, `failed`, `skipped` */
      readonly state: string;
      readonly ratePerSecond: number | null;
      readonly p50Ns: number | null;
      readonly p99Ns: number | null;
      /** The first finding, the error, or the reason. */
      readonly remark: string;
    }
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'end'; readonly state: string; readonly folder: string; readonly report: boolean };

export interface LiveSample {
  readonly kind: 'sample';
  readonly t: number;
  readonly phase: string;
  /** 0 … 1 */
  readonly fraction: number;
  readonly ratePerSecond: number;
  /** Of the last second; null where nothing was answered in it. */
  readonly p50Ns: number | null;
  readonly p90Ns: number | null;
  readonly p99Ns: number | null;
  readonly outstanding: number;
  readonly errors: number;
  /** `server (cores)`, `gpu0 utilization` (1 = all of it). */
  readonly device: Readonly<Record<string, number>>;
}
