/** What a public error says: where, what was found, what is allowed, what to do. */
export interface Problem {
  /** Where: `scenarios/x.yaml:9:5 systems.batching.maxBatchSize`, an option, a file. */
  readonly place: string;
  /** What was found there, and why it does not do. */
  readonly found: string;
  /** What is allowed. */
  readonly allowed?: string | undefined;
  /** What to do about it. */
  readonly remedy?: string | undefined;
}

/** A problem as one sentence line: `place: found. Allowed: … . Remedy.` */
export function formatProblem(problem: Problem): string {
  const parts = [`${problem.place}: ${sentence(problem.found)}`];
  if (problem.allowed) parts.push(sentence(`Allowed: ${problem.allowed}`));
  if (problem.remedy) parts.push(sentence(problem.remedy));
  return parts.join(' ');
}

/** An error that the user caused or can mend; `problems` holds *all* that were found. Exit code 2 on the command line. */
export class UserError extends Error {
  override readonly name = 'UserError';
  readonly problems: readonly Problem[];

  constructor(problems: Problem | readonly Problem[], options?: { cause?: unknown }) {
    const list = Array.isArray(problems) ? (problems as readonly Problem[]) : [problems as Problem];
    super(list.map(formatProblem).join('\n'), options);
    this.problems = list;
  }
}

/** What was thrown, its problems placed where the user wrote what led there; other errors as they are. */
export function thrownAt(place: string, error: unknown): unknown {
  if (!(error instanceof UserError)) return error;
  const problems = error.problems.map((problem) =>
    problem.place === place ? problem : { ...problem, place: `${place}: ${problem.place}` },
  );
  return new UserError(problems, { cause: error });
}

/** What a process that an error ends says: its stack, and as the last line what was thrown and where, for those who hear only that. */
export function lastWords(error: Error): string {
  const at = error.stack?.split('\n').find((line) => /^\s+at /.test(line));
  return `${error.stack ?? ''}\nit fails: ${error.name}: ${error.message}${at ? `, ${at.trim()}` : ''}\n`;
}

/** From here on an error that nobody catches ends this process with its last words. */
export function endWithLastWords(): void {
  process.on('uncaughtException', (error) => {
    process.stderr.write(lastWords(error), () => process.exit(1));
  });
}

/** `; it said last: …`, to be put behind how a process ended; nothing where it said nothing. */
export function saidLast(lines: readonly string[], most = 5): string {
  const said = lines.slice(-most).join(' / ');
  return said ? `; it said last: ${said}` : '';
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function sentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}
