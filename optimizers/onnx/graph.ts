import type { OnnxModel } from './model.js';
import type { GraphProto, NodeProto } from './proto/onnx_pb.js';

/** Value → the node that makes it. */
export function producersOf(model: OnnxModel): Map<string, NodeProto> {
  const producers = new Map<string, NodeProto>();
  for (const node of model.graph.node) for (const name of node.output) if (name !== '') producers.set(name, node);
  return producers;
}

/** Value → the nodes that use it, inner graphs included. */
export function consumersOf(model: OnnxModel): Map<string, NodeProto[]> {
  const consumers = new Map<string, NodeProto[]>();
  for (const node of model.graph.node)
    for (const name of usedBy(node)) consumers.set(name, [...(consumers.get(name) ?? []), node]);
  return consumers;
}

/** Names of the graph's outputs. */
export function outputsOf(model: OnnxModel): Set<string> {
  return new Set(model.graph.output.map(({ name }) => name));
}

/** What a node reads: its inputs, and what its inner graphs take from outside. Each name once. */
export function usedBy(node: NodeProto): string[] {
  return [...new Set([...node.input.filter((name) => name !== ''), ...innerGraphs(node).flatMap(captured)])];
}

/** The graphs in a node's attributes (If, Loop, Scan). */
export function innerGraphs(node: NodeProto): GraphProto[] {
  return node.attribute.flatMap(({ g, graphs }) => [...(g ? [g] : []), ...graphs]);
}

/** Names that an inner graph uses and does not define. */
function captured(graph: GraphProto): string[] {
  const defined = new Set([
    ...graph.input.map(({ name }) => name),
    ...graph.initializer.map(({ name }) => name),
    ...graph.node.flatMap(({ output }) => output),
  ]);
  const used = [...graph.node.flatMap(usedBy), ...graph.output.map(({ name }) => name)];
  return used.filter((name) => !defined.has(name));
}

/**
 * Nodes in an order in which every value is made before it is used; as close to the given order as that allows. What is
 * left over in `rest` stands in a cycle or behind one.
 */
export function topological(nodes: readonly NodeProto[]): {
  readonly sorted: NodeProto[];
  readonly rest: NodeProto[];
} {
  const waiting = new Map<NodeProto, number>();
  const users = new Map<string, NodeProto[]>();
  const made = new Set(nodes.flatMap(({ output }) => output));
  for (const node of nodes) {
    const needs = usedBy(node).filter((name) => made.has(name));
    waiting.set(node, needs.length);
    for (const name of needs) users.set(name, [...(users.get(name) ?? []), node]);
  }
  const position = new Map(nodes.map((node, i) => [node, i]));
  const ready = nodes.filter((node) => waiting.get(node) === 0);
  const sorted: NodeProto[] = [];
  while (ready.length > 0) {
    const node = ready.shift()!;
    sorted.push(node);
    const freed = node.output.flatMap((name) => users.get(name) ?? []).filter((user) => countDown(waiting, user) === 0);
    for (const user of freed) insertByPosition(ready, user, position);
  }
  const done = new Set(sorted);
  return { sorted, rest: nodes.filter((node) => !done.has(node)) };
}

function countDown(waiting: Map<NodeProto, number>, node: NodeProto): number {
  const left = waiting.get(node)! - 1;
  waiting.set(node, left);
  return left;
}

function insertByPosition(ready: NodeProto[], node: NodeProto, position: ReadonlyMap<NodeProto, number>): void {
  const at = ready.findIndex((other) => position.get(other)! > position.get(node)!);
  ready.splice(at < 0 ? ready.length : at, 0, node);
}

/** Takes out nodes and constants that no output needs. Constants that are graph inputs as well stay. */
export function removeDead(model: OnnxModel): void {
  const producers = producersOf(model);
  const needed = new Set<NodeProto>();
  const live = new Set<string>();
  const wanted = model.graph.output.map(({ name }) => name);
  for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
    if (live.has(name)) continue;
    live.add(name);
    const maker = producers.get(name);
    if (maker === undefined || needed.has(maker)) continue;
    needed.add(maker);
    wanted.push(...usedBy(maker));
  }
  const { graph, initializers } = model;
  graph.node = graph.node.filter((node) => needed.has(node));
  const inputs = new Set(graph.input.map(({ name }) => name));
  for (const name of initializers.keys()) if (!live.has(name) && !inputs.has(name)) initializers.delete(name);
  const known = new Set([...live, ...inputs]);
  graph.valueInfo = graph.valueInfo.filter(({ name }) => known.has(name));
}

/** Every use of a value, inner graphs included, becomes a use of another. Graph outputs keep their names. */
export function replaceUses(nodes: readonly NodeProto[], from: string, to: string): void {
  for (const node of nodes) {
    for (let i = 0; i < node.input.length; i++) if (node.input[i] === from) node.input[i] = to;
    for (const graph of innerGraphs(node)) if (captured(graph).includes(from)) replaceUses(graph.node, from, to);
  }
}

/** A source of names that the model does not use yet: `base`, `base_1` … */
export function nameSource(model: OnnxModel): (base: string) => string {
  const taken = new Set<string>([...model.initializers.keys(), ...model.graph.input.map(({ name }) => name)]);
  const collect = (nodes: readonly NodeProto[]): void => {
    for (const node of nodes) {
      for (const name of [...node.input, ...node.output]) taken.add(name);
      for (const graph of innerGraphs(node)) {
        for (const { name } of graph.initializer) taken.add(name);
        collect(graph.node);
      }
    }
  };
  collect(model.graph.node);
  return (base) => {
    let name = base;
    for (let i = 1; taken.has(name); i++) name = `${base}_${i}`;
    taken.add(name);
    return name;
  };
}

/**
 * For every place between two nodes of the sorted graph (place i: before node i): the values that are made before it and
 * used after it, or at the end. Inputs and constants of the graph do not count.
 */
export function livenessOf(model: OnnxModel): string[][] {
  const { node: nodes } = model.graph;
  const madeAt = new Map(nodes.flatMap(({ output }, i) => output.map((name): [string, number] => [name, i])));
  const lastUse = new Map<string, number>();
  for (const [i, node] of nodes.entries()) for (const name of usedBy(node)) lastUse.set(name, i);
  for (const name of outputsOf(model)) lastUse.set(name, nodes.length);
  return Array.from({ length: nodes.length + 1 }, (_, place) =>
    [...madeAt].filter(([name, made]) => made < place && (lastUse.get(name) ?? -1) >= place).map(([name]) => name),
  );
}
