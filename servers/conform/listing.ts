import type { SimulationSink } from '../executors/index.js';
import type { Execute, Nanos, ResponseSource, StrategyRequest } from '../strategies/index.js';

export interface ListedExecution {
  readonly instance: number;
  readonly start: Nanos;
  end: Nanos;
  /** Ids, in batch order. */
  readonly requests: readonly string[];
  readonly rows: number;
  readonly paddedRows?: number;
  readonly model?: string;
  readonly stages?: readonly [from: number, to: number];
  readonly shadow?: boolean;
  killed?: boolean;
}

/** The lists of a run, sorted as vectors list them. */
export interface Listed {
  readonly executions: readonly ListedExecution[];
  readonly rejected: readonly { readonly request: string; readonly at: Nanos; readonly reason: string }[];
  readonly responses: readonly { readonly request: string; readonly at: Nanos; readonly source: ResponseSource }[];
  readonly scale: readonly { readonly at: Nanos; readonly replicas: number }[];
}

/** Writes down what happens in a run. */
export class Listing implements SimulationSink {
  /** Of answered requests, in order of answer. */
  readonly latencies: Nanos[] = [];
  readonly #executions: ListedExecution[] = [];
  readonly #rejected: Listed['rejected'][number][] = [];
  readonly #responses: Listed['responses'][number][] = [];
  readonly #scale: Listed['scale'][number][] = [];
  /** The listed execution of each instance that runs. */
  readonly #running = new Map<number, ListedExecution>();
  readonly #positions: ReadonlyMap<string, number>;

  constructor(requests: readonly StrategyRequest[]) {
    this.#positions = new Map(requests.map((request, position) => [request.id, position]));
  }

  started(execution: Execute, start: Nanos, end: Nanos): void {
    const listed = listedExecution(execution, start, end);
    this.#executions.push(listed);
    this.#running.set(execution.instance, listed);
  }

  ended({ instance }: Execute, _start: Nanos, end: Nanos, killed: boolean): void {
    const listed = this.#running.get(instance);
    if (!killed || listed === undefined) return;
    listed.end = end;
    listed.killed = true;
  }

  answered(request: StrategyRequest, at: Nanos, source: ResponseSource, explicit: boolean): void {
    this.latencies.push(at - request.at);
    if (explicit) this.#responses.push({ request: request.id, at, source });
  }

  rejected({ id }: StrategyRequest, at: Nanos, reason: string): void {
    this.#rejected.push({ request: id, at, reason });
  }

  scaled(replicas: number, at: Nanos): void {
    this.#scale.push({ at, replicas });
  }

  list(): Listed {
    const position = (id: string): number => this.#positions.get(id) ?? Number.MAX_SAFE_INTEGER;
    const byTime = (a: { at: Nanos; request: string }, b: { at: Nanos; request: string }): number =>
      a.at - b.at || position(a.request) - position(b.request);
    return {
      executions: this.#executions.toSorted((a, b) => a.start - b.start || a.instance - b.instance),
      rejected: this.#rejected.toSorted(byTime),
      responses: this.#responses.toSorted(byTime),
      scale: this.#scale,
    };
  }
}

function listedExecution(execution: Execute, start: Nanos, end: Nanos): ListedExecution {
  const { instance, requests, rows, paddedRows, stages, shadow } = execution;
  const model = execution.model ?? requests[0]?.model;
  return {
    instance,
    start,
    end,
    requests: requests.map((request) => request.id),
    rows,
    ...(paddedRows !== undefined && paddedRows !== rows && { paddedRows }),
    ...(model !== undefined && { model }),
    ...(stages !== undefined && { stages }),
    ...(shadow === true && { shadow }),
  };
}
