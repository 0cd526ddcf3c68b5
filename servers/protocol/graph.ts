import { showShape } from './tensors.js';
import type { InferRequest, ModelMetadata, Tensor, TensorMetadata } from './types.js';

/**
 * One request of a graph: to a model, whose input tensors are named tensors of the graph and whose outputs become such. Source:
 * Triton's `ensemble_scheduling.step` with `input_map` and `output_map`.
 */
export interface GraphStep {
  readonly model: string;
  /** The model's input → the graph's tensor. */
  readonly inputMap: Readonly<Record<string, string>>;
  /** The model's output → the graph's tensor; outputs that it does not name are not asked for. */
  readonly outputMap: Readonly<Record<string, string>>;
}

/** Requests that depend on each other by the names of tensors. */
export interface RequestGraph {
  readonly steps: readonly GraphStep[];
  /** Tensors of the answer; default: those that no step takes. */
  readonly outputs?: readonly string[] | undefined;
}

/** Tensors of the answer, in order. */
export function graphOutputs({ steps, outputs }: RequestGraph): readonly string[] {
  const taken = new Set(steps.flatMap(({ inputMap }) => Object.values(inputMap)));
  return outputs ?? steps.flatMap(({ outputMap }) => Object.values(outputMap).filter((name) => !taken.has(name)));
}

/** What is wrong with a graph, and where: `steps[1].inputMap.x`. */
export interface GraphProblem {
  readonly at: string;
  readonly found: string;
  readonly allowed?: string | undefined;
}

/** Every name is made once, every step can come to run, and every output exists. */
export function graphProblems({ steps, outputs = [] }: RequestGraph): GraphProblem[] {
  const problems: GraphProblem[] = [];
  const makers = new Map<string, number>();
  for (const [i, { outputMap }] of steps.entries())
    for (const [output, name] of Object.entries(outputMap)) {
      const at = `steps[${i}].outputMap.${output}`;
      if (makers.has(name)) problems.push({ at, found: `steps[${makers.get(name)}] makes "${name}" already` });
      else makers.set(name, i);
    }
  const stuck = stepsThatWait(steps, makers);
  if (stuck.length > 0)
    problems.push({
      at: 'steps',
      found: `${stuck.map((i) => `steps[${i}]`).join(', ')} wait for one another's tensors`,
    });
  for (const [i, name] of outputs.entries())
    if (!makers.has(name))
      problems.push({
        at: `outputs[${i}]`,
        found: `no step makes "${name}"`,
        allowed: [...makers.keys()].join(', ') || 'none: no step makes any tensor',
      });
  return problems;
}

/** Those that never get all their inputs. */
function stepsThatWait(steps: readonly GraphStep[], makers: ReadonlyMap<string, number>): number[] {
  const done = new Set<number>();
  for (let before = -1; before < done.size; ) {
    before = done.size;
    for (const [i, { inputMap }] of steps.entries()) {
      const ready = Object.values(inputMap).every((name) => !makers.has(name) || done.has(makers.get(name)!));
      if (ready) done.add(i);
    }
  }
  return steps.flatMap((_, i) => (done.has(i) ? [] : [i]));
}

/** The graph's interface from its models', or what does not fit: names that a model lacks or misses, types or shapes that differ. `models` are named where one is not there. */
export function graphInterface(
  graph: RequestGraph,
  modelOf: (name: string) => ModelMetadata | undefined,
  models: readonly string[] = [],
): {
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
  readonly problems: GraphProblem[];
} {
  const problems = graphProblems(graph);
  const made = new Map<string, TensorMetadata>();
  const taken = new Map<string, TensorMetadata>();
  graph.steps.forEach(({ model, outputMap, inputMap }, i) => {
    const metadata = modelOf(model);
    if (metadata === undefined) {
      const allowed = models.join(', ') || undefined;
      problems.push({ at: `steps[${i}].model`, found: `the server has no model "${model}"`, allowed });
      return;
    }
    const names = (specs: readonly TensorMetadata[]) => specs.map(({ name }) => name).join(', ');
    for (const [map, key, specs, into] of [
      [inputMap, 'inputMap', metadata.inputs, taken],
      [outputMap, 'outputMap', metadata.outputs, made],
    ] as const)
      for (const [own, name] of Object.entries(map)) {
        const spec = specs.find((each) => each.name === own);
        const at = `steps[${i}].${key}.${own}`;
        if (spec === undefined) problems.push({ at, found: `${model} has no such tensor`, allowed: names(specs) });
        else if (!into.has(name)) into.set(name, { ...spec, name });
      }
    for (const { name } of metadata.inputs)
      if (!(name in inputMap))
        problems.push({ at: `steps[${i}].inputMap`, found: `input "${name}" of ${model} is not given` });
  });
  for (const [i, { model, inputMap }] of graph.steps.entries())
    for (const [own, name] of Object.entries(inputMap)) {
      const spec = modelOf(model)?.inputs.find((each) => each.name === own);
      const maker = made.get(name);
      if (spec && maker && !fits(maker, spec))
        problems.push({
          at: `steps[${i}].inputMap.${own}`,
          found: `"${name}" is made as ${showTensor(maker)} and taken as ${showTensor(spec)}`,
        });
    }
  const inputs = [...taken.values()].filter(({ name }) => !made.has(name));
  const outputs = graphOutputs(graph).flatMap((name) => made.get(name) ?? []);
  return { inputs, outputs, problems };
}

/** Of one type, and of shapes that some tensor has both of. */
function fits(made: TensorMetadata, taken: TensorMetadata): boolean {
  return (
    made.datatype === taken.datatype &&
    made.shape.length === taken.shape.length &&
    made.shape.every((dim, i) => dim === -1 || taken.shape[i] === -1 || dim === taken.shape[i])
  );
}

function showTensor({ datatype, shape }: TensorMetadata): string {
  return `${datatype} ${showShape(shape)}`;
}

/** Where the tensors of one request through a graph stand; pure. */
export class GraphRun {
  readonly #values: Map<string, Tensor>;
  readonly #asked = new Set<number>();
  /** Steps that are asked and not answered, or not asked yet. */
  #left: number;

  constructor(
    private readonly graph: RequestGraph,
    private readonly request: InferRequest,
  ) {
    this.#values = new Map(request.inputs.map((tensor) => [tensor.name, tensor]));
    this.#left = graph.steps.length;
  }

  /** Steps whose inputs exist by now, in the order of steps; each is told once. */
  ready(): { readonly step: number; readonly request: InferRequest }[] {
    return this.graph.steps.flatMap(({ model, inputMap, outputMap }, step) => {
      const entries = Object.entries(inputMap);
      if (this.#asked.has(step) || !entries.every(([, name]) => this.#values.has(name))) return [];
      this.#asked.add(step);
      const inputs = entries.map(([own, name]) => ({ ...this.#values.get(name)!, name: own }));
      const { id, parameters } = this.request;
      const outputs = Object.keys(outputMap).map((name) => ({ name }));
      return [{ step, request: { modelName: model, id, parameters, inputs, outputs } }];
    });
  }

  /** The answer to a step. True when it was the last. */
  answered(step: number, outputs: readonly Tensor[]): boolean {
    const { outputMap } = this.graph.steps[step]!;
    for (const tensor of outputs) {
      const name = outputMap[tensor.name];
      if (name !== undefined) this.#values.set(name, { ...tensor, name });
    }
    return --this.#left === 0;
  }

  /** Of the answer, those that were asked for or all, in the order of `names`. */
  outputs(names: readonly string[]): Tensor[] {
    const wanted = this.request.outputs?.length ? new Set(this.request.outputs.map(({ name }) => name)) : undefined;
    return names.flatMap((name) => (wanted && !wanted.has(name) ? [] : (this.#values.get(name) ?? [])));
  }

  /** Steps that make what a step takes. */
  before(step: number): number[] {
    const names = new Set(Object.values(this.graph.steps[step]!.inputMap));
    return this.graph.steps.flatMap(({ outputMap }, i) =>
      Object.values(outputMap).some((name) => names.has(name)) ? [i] : [],
    );
  }
}
