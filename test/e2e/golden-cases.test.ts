import { describe, expect, test } from 'vitest';
import { UserError } from '../../results/errors.js';
import type { InferRequest, InferResponse } from '../../servers/protocol/index.js';
import {
  decodeJsonResponse,
  encodeJsonRequest,
  INFER_HEADER,
  inferPath,
  parseHeaderLength,
} from '../../servers/protocol/index.js';
import type { RuntimeTensor } from '../../servers/runtimes/index.js';
import { type RunningServer, startServer } from '../../servers/server.js';
import { type AnyTensor, isClose } from '../fixtures/closeness.js';
import { caseTensors, debianCases, type OnnxCase, outputsFor } from '../fixtures/onnx-models.js';

/** Every tenth case: a server for each of all takes minutes (SERVEMARK_SLOW=1 starts them). */
const EVERY = process.env.SERVEMARK_SLOW === '1' ? 1 : 10;
if (EVERY > 1) console.log('skipped: nine of ten golden cases through our own server (SERVEMARK_SLOW=1 runs all)');
/** Of these, every so many over REST with binary tensors; the others by the service itself. */
const REST_EVERY = 4;

describe('the golden outputs of ONNX’s own test cases', () => {
  test(
    'are what our server answers, where ONNX Runtime itself gives them',
    async () => {
      const cases = debianCases('golden outputs through our own server').filter((_, i) => i % EVERY === 0);
      const counts = {
        cases: cases.length,
        notTensors: 0,
        notPassedByOnnxRuntime: 0,
        served: 0,
        overRest: 0,
        cannotBeServed: 0,
      };
      const wrong: string[] = [];
      const one = async (each: OnnxCase): Promise<void> => {
        const [inputs, wanted] = [caseTensors(each.folder, 'input'), caseTensors(each.folder, 'output')];
        if (inputs === undefined || wanted === undefined || wanted.length === 0) {
          counts.notTensors++;
          return;
        }
        const direct = await outputsFor(each.model, inputs);
        if (direct instanceof Error || !agree(direct, wanted)) {
          counts.notPassedByOnnxRuntime++;
          return;
        }
        const overRest = (counts.served + counts.cannotBeServed) % REST_EVERY === 0;
        const outputs = await answer(each, inputs, overRest);
        if (outputs === undefined) counts.cannotBeServed++;
        else {
          counts.served++;
          counts.overRest += Number(overRest);
          if (!agree(outputs, wanted)) wrong.push(each.name);
        }
      };
      const queue = [...cases];
      const worker = async () => {
        for (let next = queue.shift(); next !== undefined; next = queue.shift())
          await one(next).catch((error: unknown) => wrong.push(`${next!.name}: ${String(error)}`));
      };
      await Promise.all([worker(), worker()]);
      if (cases.length === 0) return;
      console.log(
        `golden cases through our server: ${JSON.stringify({ ...counts, right: counts.served - wrong.length })}`,
      );
      expect(wrong).toEqual([]);
      expect(counts.served).toBeGreaterThan(0.75 * counts.cases);
      expect(counts.overRest).toBeGreaterThan(counts.served / (REST_EVERY + 1));
    },
    EVERY === 1 ? 900_000 : 120_000,
  );
});

/** Undefined where the model itself can't be served: no input, or a type that the protocol lacks. */
async function answer(
  each: OnnxCase,
  inputs: readonly AnyTensor[],
  overRest: boolean,
): Promise<AnyTensor[] | undefined> {
  let server: RunningServer;
  try {
    server = await startServer({
      name: 'golden',
      model: { path: each.model, name: 'case' },
      strategy: { name: 'serial' },
      frontends: overRest ? { rest: { port: 0 } } : {},
      warmUpExecutions: 0,
    });
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
  try {
    const named = inputs.map(({ buffer, ...rest }, i) => ({
      ...rest,
      name: server.metadata.inputs[i]!.name,
      data: new Uint8Array(buffer),
    }));
    const request: InferRequest = { modelName: 'case', inputs: named };
    const { outputs } = overRest ? await post(server.addresses.rest!, request) : await infer(server, request);
    return outputs.map(({ datatype, shape, data }) => ({ datatype, shape, buffer: new Uint8Array(data).buffer }));
  } finally {
    await server.close();
  }
}

function infer(server: RunningServer, request: InferRequest): Promise<InferResponse> {
  return new Promise((resolve, reject) => {
    server.service.infer(request, 0, (outcome) => (outcome.ok ? resolve(outcome.response) : reject(outcome.error)));
  });
}

async function post(address: string, request: InferRequest): Promise<InferResponse> {
  const { parts, headerLength } = encodeJsonRequest(request, true);
  const body = Buffer.concat(parts);
  const headers = headerLength === undefined ? {} : { [INFER_HEADER]: String(headerLength) };
  const response = await fetch(`${address}${inferPath(request.modelName)}`, { method: 'POST', headers, body });
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (!response.ok) throw new Error(`${response.status} ${Buffer.from(bytes).toString()}`);
  return decodeJsonResponse(bytes, parseHeaderLength(response.headers.get(INFER_HEADER) ?? undefined, bytes.length));
}

function agree(found: readonly AnyTensor[] | readonly RuntimeTensor[], wanted: readonly AnyTensor[]): boolean {
  return found.length === wanted.length && wanted.every((tensor, i) => isClose(found[i]!, tensor));
}
