/** One line of a detail log. */
export interface Message {
  readonly key: string;
  readonly value: unknown;
  readonly time_ms: number;
  readonly metadata: { readonly is_error: boolean; readonly is_warning: boolean };
}

/**
 * Reads a detail log by the rules of MLCommons' log parser: the marker stands at the start of the first line, every line
 * behind it is JSON, the first of several equal keys counts, `num_errors` is believed where it is there. Throws where not.
 */
export function readDetailLog(text: string) {
  const lines = text.split('\n').map((line) => line.trimEnd());
  if (!lines[0]?.startsWith(MARKER)) throw new Error(`marker not found in the first line: ${lines[0]}`);
  const messages = lines
    .filter((line) => line.startsWith(MARKER))
    .map((line) => JSON.parse(line.slice(MARKER.length)) as Message);
  const value = (key: string): unknown => messages.find((message) => message.key === key)?.value ?? null;
  return {
    messages,
    value,
    errors: () => (value('num_errors') as number | null) ?? messages.filter(({ metadata }) => metadata.is_error).length,
    warnings: () => messages.filter(({ metadata }) => metadata.is_warning).length,
  };
}

const MARKER = ':::MLLOG';
