import type { Problem } from '../../results/errors.js';
import { byteLength, isKnownType, typeName } from './dtypes.js';
import { innerGraphs, topological } from './graph.js';
import { dimsOf, elementsOf, type Initializer, normal, type OnnxModel } from './model.js';
import type { GraphProto, NodeProto } from './proto/onnx_pb.js';

/**
 * What is wrong with a model before any runtime sees it: each problem names the node or constant and the reason. Empty:
 * the graph hangs together (whether operators get the types they take is the runtime's to say).
 */
export function checkModel(model: OnnxModel, place: string): Problem[] {
  const { graph, initializers, head } = model;
  const domains = new Set(head.opsetImport.map(({ domain }) => normal(domain)));
  for (const { domain } of head.functions) domains.add(normal(domain));
  const constants = new Set([...initializers.keys(), ...sparseNames(graph)]);
  return [
    ...(head.opsetImport.length === 0 ? [{ place, found: 'it imports no operator set' }] : []),
    ...(graph.output.length === 0 ? [{ place, found: 'its graph has no output' }] : []),
    ...[...initializers.values()].flatMap((constant) => checkConstant(constant, place)),
    ...checkGraph(graph, constants, new Set(), domains, place),
  ];
}

function checkConstant(constant: Initializer, place: string): Problem[] {
  const { name, dataType } = constant.header;
  const at = `${place} initializer "${name}"`;
  if (name === '') return [{ place: at, found: 'a constant without a name' }];
  if (!isKnownType(dataType)) return [{ place: at, found: `its data type ${dataType} is none of ONNX's` }];
  if (dimsOf(constant).some((dim) => dim < 0)) return [{ place: at, found: `its dims are [${dimsOf(constant)}]` }];
  const expected = byteLength(dataType, elementsOf(constant));
  const found = rawLength(constant);
  if (expected === undefined || found === undefined || found === expected) return [];
  return [
    {
      place: at,
      found: `it has ${found} bytes of data`,
      allowed: `${expected} for ${typeName(dataType)} [${dimsOf(constant)}]`,
    },
  ];
}

/** Bytes of raw data; undefined where values lie in typed fields. */
function rawLength({ payload }: Initializer): number | undefined {
  if (payload.kind === 'memory') return payload.bytes.length;
  if (payload.kind === 'computed') return payload.length;
  return payload.kind === 'external' ? payload.range.length : payload.raw?.length;
}

function checkGraph(
  graph: GraphProto,
  constants: ReadonlySet<string>,
  outer: ReadonlySet<string>,
  domains: ReadonlySet<string>,
  place: string,
): Problem[] {
  const problems: Problem[] = [];
  const known = new Set([...outer, ...constants, ...graph.input.map(({ name }) => name)]);
  const later = new Set(graph.node.flatMap(({ output }) => output));
  const made = new Set<string>();
  const cyclic = new Set(topological(graph.node).rest);
  for (const [i, node] of graph.node.entries()) {
    const at = `${place} node ${describe(node, i)}`;
    if (node.opType === '') problems.push({ place: at, found: 'it names no operator' });
    if (!domains.has(normal(node.domain)))
      problems.push({ place: at, found: `its domain "${node.domain}" is not among the imported operator sets` });
    for (const name of node.input)
      if (name !== '' && !known.has(name)) problems.push(undefinedInput(at, name, later, cyclic.has(node)));
    for (const inner of innerGraphs(node)) {
      const own = new Set([...inner.initializer.map(({ name }) => name), ...sparseNames(inner)]);
      problems.push(...checkGraph(inner, own, known, domains, `${at} graph "${inner.name}"`));
    }
    for (const name of node.output) {
      if (name === '') continue;
      if (made.has(name) || constants.has(name))
        problems.push({ place: at, found: `its output "${name}" is made twice`, allowed: 'a name of its own' });
      made.add(name);
      known.add(name);
    }
  }
  for (const { name } of graph.output)
    if (!known.has(name)) problems.push({ place, found: `output "${name}" is made by no node` });
  return problems;
}

function undefinedInput(place: string, name: string, later: ReadonlySet<string>, cyclic: boolean): Problem {
  if (cyclic && later.has(name)) return { place, found: `it stands in a cycle, or behind one, through "${name}"` };
  if (later.has(name)) return { place, found: `its input "${name}" is made by a later node`, remedy: 'Sort the nodes' };
  return { place, found: `its input "${name}" is made by no node, and is no input or constant of the graph` };
}

function describe(node: NodeProto, position: number): string {
  return `${node.name === '' ? position : `"${node.name}"`} (${node.opType})`;
}

function sparseNames(graph: GraphProto): string[] {
  return graph.sparseInitializer.flatMap(({ values }) => (values ? [values.name] : []));
}
