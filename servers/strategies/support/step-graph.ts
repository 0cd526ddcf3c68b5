export interface Step {
  readonly name: string;
  readonly model: string;
  /** Names of the steps that must be done before. */
  readonly after: readonly string[];
}

/** Steps by their index, and what comes after what. The steps must be free of problems. */
export class StepGraph {
  /** Steps that wait for none. */
  readonly roots: readonly number[];
  readonly #names: readonly string[];
  readonly #requirements: readonly number[];
  readonly #followers: readonly (readonly number[])[];

  constructor(steps: readonly Step[]) {
    const after = steps.map((step) => new Set(step.after));
    this.#names = steps.map(({ name }) => name);
    this.#requirements = after.map((names) => names.size);
    this.roots = [...this.#requirements.keys()].filter((i) => this.#requirements[i] === 0);
    this.#followers = this.#names.map((name) => [...after.keys()].filter((i) => after[i]!.has(name)));
  }

  get size(): number {
    return this.#names.length;
  }

  nameOf(step: number): string {
    return this.#names[step]!;
  }

  /** For every step the number of steps that it comes after; a new list each time. */
  requirements(): number[] {
    return [...this.#requirements];
  }

  /** The steps that come directly after it, in order. */
  followers(step: number): readonly number[] {
    return this.#followers[step]!;
  }
}

export interface EnsembleOptions {
  readonly steps: readonly Step[];
  readonly models: Readonly<Record<string, { readonly instances: readonly number[] }>>;
}

/** What is wrong with an ensemble, each with its place in the options. */
export function* problemsOf({
  steps,
  models,
}: EnsembleOptions): Generator<[path: (string | number)[], message: string]> {
  const names = steps.map(({ name }) => name);
  for (const [i, { name, model, after }] of steps.entries()) {
    if (names.indexOf(name) < i) yield [['steps', i, 'name'], `"${name}" names two steps`];
    if (!Object.hasOwn(models, model))
      yield [['steps', i, 'model'], `there is no model "${model}"; allowed: ${Object.keys(models).join(', ')}`];
    for (const [j, other] of after.entries())
      if (!names.includes(other))
        yield [['steps', i, 'after', j], `there is no step "${other}"; allowed: ${names.join(', ')}`];
  }
  const stuck = inCycle(steps);
  if (stuck.length > 0) yield [['steps'], `${stuck.join(', ')} wait for each other`];
  yield* sharedInstances(models);
}

/** Steps that never become ready because they come, perhaps by way of others, after themselves. */
function inCycle(steps: readonly Step[]): string[] {
  const known = new Set(steps.map(({ name }) => name));
  let rest = [...steps];
  for (let before = -1; before !== rest.length; ) {
    before = rest.length;
    rest = rest.filter(({ after }) => after.some((other) => known.has(other)));
    known.clear();
    for (const { name } of rest) known.add(name);
  }
  return rest.map(({ name }) => name);
}

function* sharedInstances(models: EnsembleOptions['models']): Generator<[path: (string | number)[], message: string]> {
  const owners = new Map<number, string>();
  for (const [name, { instances }] of Object.entries(models))
    for (const [i, instance] of instances.entries()) {
      const owner = owners.get(instance);
      if (owner !== undefined) yield [['models', name, 'instances', i], `instance ${instance} already runs "${owner}"`];
      owners.set(instance, name);
    }
}
