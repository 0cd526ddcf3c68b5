/** What carries out a strategy's decisions. */
interface ExecutorDefinition {
  readonly name: string;
  readonly summary: string;
  /** Its times are computed, not measured. */
  readonly simulated: boolean;
}

/** Every executor. One line per addition. */
export const executors = [
  { name: 'real', summary: 'A monotonic clock and one worker thread or child process an instance', simulated: false },
  { name: 'virtual', summary: 'An event heap over integer nanoseconds and a cost table', simulated: true },
] as const satisfies readonly ExecutorDefinition[];
