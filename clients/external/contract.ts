/** What another load generator is to do: our payload at our rate against one endpoint of this machine. */
export interface ExternalLoad {
  readonly protocol: ExternalProtocol;
  /** `rest`: the URL that is posted to. `grpc`: `host:port`. */
  readonly url: string;
  /** Of a REST request. */
  readonly headers: Readonly<Record<string, string>>;
  /** A REST body, or a `ModelInferRequest` as protobuf, from our own encoders. */
  readonly body: Uint8Array;
  /** The same `ModelInferRequest` as protobuf's JSON, for tools that encode it themselves. */
  readonly message: string;
  readonly ratePerSecond: number;
  readonly durationNs: number;
  /** The longest answer that is expected: tools with a fixed number of workers need one for each request under way. */
  readonly worstLatencyNs: number;
  readonly timeoutNs: number;
}

export type ExternalProtocol = 'rest' | 'grpc';

/** A tool's program runs, one after the other, in a folder of its own. */
export interface ToolPlan {
  /** Written into the folder before the first step: name → content. */
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  /** Arguments of each run; what the last one prints goes to the file `stdout`. */
  readonly steps: readonly (readonly string[])[];
}

/** What a tool measured. None of them records when a request was due: every latency counts from the send. */
export type ToolOutput =
  | {
      readonly kind: 'requests';
      readonly requests: readonly ToolRequest[];
      /** Requests that the tool gave up before sending; 0 where it never does. */
      readonly dropped: number;
    }
  | {
      readonly kind: 'aggregates';
      /** Why there is nothing a request: `keeps a histogram only`. */
      readonly reason: string;
      readonly completed: number;
      readonly errors: number;
      readonly durationNs: number;
      /** null where the tool does not keep it. */
      readonly latencyNs: Readonly<Record<'p50' | 'p95' | 'p99' | 'max', number | null>>;
    };

export interface ToolRequest {
  /** Any origin, the same for all requests of a run. */
  readonly sentNs: number;
  readonly latencyNs: number;
  /** Empty where it was answered well. */
  readonly error: string;
}

/** Another load generator, driven as its own documents say. One file, one line in the registry. */
export interface ExternalTool {
  readonly name: string;
  readonly summary: string;
  /** How to get it, one command. */
  readonly get: string;
  readonly protocols: readonly ExternalProtocol[];
  /** `open` sends at the rate whatever the server does; `closed` waits for answers. */
  readonly loop: 'open' | 'closed';
  /** What its figures are, and why a stalled server shows in them or does not. */
  readonly explains: string;
  /** A file of an npm package that node runs; default: an executable of the tool's name. */
  readonly module?: string;
  /** Arguments that make it print its version; absent: only the Go tool chain can read it from the executable. */
  readonly versionArgs?: readonly string[];
  plan(load: ExternalLoad, path: (file: string) => string): ToolPlan;
  /** Reads what the steps left. Throws Error where it is not the tool's output. */
  read(path: (file: string) => string, load: ExternalLoad): Promise<ToolOutput>;
}
