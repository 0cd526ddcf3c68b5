import { Client, credentials, type Metadata, type MethodDefinition, type ServiceError, status } from '@grpc/grpc-js';
import { protoPath as healthProtoPath } from 'grpc-health-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Frontend } from '../../../servers/frontends/contract.js';
import { grpc } from '../../../servers/frontends/grpc.js';
import { grpcJs } from '../../../servers/frontends/grpc-js.js';
import { decodeGrpcResponse, encodeGrpcRequest } from '../../../servers/protocol/grpc-codec.js';
import { inferenceService, loadInferenceProto } from '../../../servers/protocol/grpc-service.js';
import { timingsFromParameters } from '../../../servers/protocol/timings.js';
import type { InferRequest, Tensor } from '../../../servers/protocol/types.js';
import { EchoModel, EVERYTHING, PAIR } from '../../fakes/echo-model.js';
import { eachDatatype } from '../../fakes/tensors.js';

const LIMITS = { maxBodyBytes: 1_000_000, maxHeaderBytes: 16_384 };
const methods = inferenceService();

describe.each([grpc, grpcJs])('the frontend $name', (definition) => {
  const service = new EchoModel(PAIR);
  let frontend: Frontend;
  let client: Client;
  beforeAll(async () => {
    frontend = await definition.start(service, { host: '127.0.0.1', port: 0, limits: LIMITS });
    client = new Client(frontend.address, credentials.createInsecure());
  });
  afterAll(async () => {
    client.close();
    await frontend.close();
  });

  const a: Tensor = { name: 'in_a', datatype: 'FP32', shape: [1, 2], data: Buffer.alloc(8, 1) };
  const b: Tensor = { name: 'in_b', datatype: 'BYTES', shape: [1], data: Buffer.from([1, 0, 0, 0, 65]) };
  const GOOD: InferRequest = { modelName: 'pair', id: 'r1', inputs: [a, b] };

  describe('control methods', () => {
    test('Health, metadata, configuration and statistics are answered', async () => {
      expect(await control('ServerLive')).toEqual({ live: true });
      expect(await control('ServerReady')).toEqual({ ready: true });
      expect(await control('ServerMetadata')).toMatchObject({ name: 'fake' });
      expect(await control('ModelReady', { name: 'pair' })).toEqual({ ready: true });
      expect(await control('ModelMetadata', { name: 'pair', version: '1' })).toEqual(PAIR);
      const { config } = (await control('ModelConfig', { name: 'pair' })) as { config: object };
      expect(config).toMatchObject({
        max_batch_size: 8,
        input: [
          { name: 'in_a', data_type: 'TYPE_FP32', dims: [2] },
          { data_type: 'TYPE_STRING', dims: [] },
        ],
        instance_group: [{ count: 1, kind: 'KIND_CPU' }],
        dynamic_batching: { preferred_batch_size: [4, 8], max_queue_delay_microseconds: 1000 },
      });
      const all = await control('ModelStatistics');
      expect(all).toMatchObject({ model_stats: [{ name: 'pair', version: '1' }] });
      expect(await control('RepositoryIndex')).toMatchObject({ models: [{ name: 'pair', state: 'READY' }] });
    });

    test('An unknown model or version is NOT_FOUND', async () => {
      for (const name of ['ModelReady', 'ModelMetadata', 'ModelConfig', 'ModelStatistics'])
        await expect(control(name, { name: 'nobody' })).rejects.toMatchObject({ code: status.NOT_FOUND });
      await expect(control('ModelReady', { name: 'pair', version: '2' })).rejects.toMatchObject({
        code: status.NOT_FOUND,
        details: 'unknown version "2" of model "pair"; expected "1"',
      });
    });

    test('A health check follows the service', async () => {
      const check = healthCheck();
      expect(await unary(check, { service: '' })).toEqual({ status: 'SERVING' });
      service.isReady = false;
      expect(await unary(check, { service: 'inference.GRPCInferenceService' })).toEqual({ status: 'NOT_SERVING' });
      service.isReady = true;
    });
  });

  describe('inference', () => {
    test('A request is answered with its id, its outputs and the server’s timings', async () => {
      const response = await infer(GOOD);
      expect(response).toMatchObject({ modelName: 'pair', modelVersion: '1', id: 'r1' });
      expect(response.outputs.map(({ name, data }) => [name, Buffer.from(data).toString('hex')])).toEqual([
        ['out_a', '0101010101010101'],
        ['out_b', '0100000041'],
      ]);
      expect(timingsFromParameters(response.parameters)).toMatchObject({ receiveNs: 1, queueNs: 2, executionId: 7 });
      expect(timingsFromParameters(response.parameters)!.totalNs).toBeGreaterThan(0);
    });

    test('Every datatype comes back as it was sent', async () => {
      const own = await definition.start(new EchoModel(EVERYTHING), { host: '127.0.0.1', port: 0, limits: LIMITS });
      const other = new Client(own.address, credentials.createInsecure());
      const response = await infer({ modelName: 'everything', inputs: eachDatatype() }, other);
      const content = ({ datatype, shape, data }: Tensor) => [datatype, shape, Buffer.from(data).toString('hex')];
      expect(response.outputs.map(content)).toEqual(eachDatatype().map(content));
      other.close();
      await own.close();
    });

    test('A 600 kB tensor goes both ways', async () => {
      const data = Buffer.alloc(600_004, 5);
      data.writeUInt32LE(600_000);
      const response = await infer({ ...GOOD, inputs: [a, { ...b, data }] });
      expect(Buffer.compare(response.outputs[1]!.data, data)).toBe(0);
    });
  });

  describe('what is refused', () => {
    test.each<[string, InferRequest, keyof typeof status, RegExp]>([
      ['an unknown model', { ...GOOD, modelName: 'x' }, 'NOT_FOUND', /unknown model "x"; expected "pair"/],
      ['an unknown version', { ...GOOD, modelVersion: '4' }, 'NOT_FOUND', /unknown version "4"/],
      ['an unknown input', { ...GOOD, inputs: [a, { ...b, name: 'z' }] }, 'INVALID_ARGUMENT', /unknown input "z"/],
      [
        'a wrong datatype',
        { ...GOOD, inputs: [{ ...a, datatype: 'INT32' }, b] },
        'INVALID_ARGUMENT',
        /INT32; expected FP32/,
      ],
      ['a wrong rank', { ...GOOD, inputs: [{ ...a, shape: [2] }, b] }, 'INVALID_ARGUMENT', /rank 1; expected rank 2/],
      [
        'a wrong byte count',
        { ...GOOD, inputs: [{ ...a, data: Buffer.alloc(7) }, b] },
        'INVALID_ARGUMENT',
        /7 bytes; expected 8/,
      ],
      ['a full queue', { ...GOOD, parameters: { behaviour: 'queue-full' } }, 'UNAVAILABLE', /queue is full/],
      ['a failure inside', { ...GOOD, parameters: { behaviour: 'crash' } }, 'INTERNAL', /worker died/],
      [
        'a name of half a surrogate pair and 100 kB',
        { ...GOOD, inputs: [{ ...a, name: `😀${'é'.repeat(1e5)}` }, b] },
        'INVALID_ARGUMENT',
        /…$/,
      ],
    ])('%s', async (_what, request, code, details) => {
      await expect(infer(request)).rejects.toMatchObject({
        code: status[code],
        details: expect.stringMatching(details),
      });
    });

    test('The reason of a refusal is in the trailer', async () => {
      const error = (await infer({ ...GOOD, parameters: { behaviour: 'queue-full' } }).catch((e: unknown) => e)) as {
        metadata: Metadata;
      };
      expect(error.metadata.get('servemark-reason')).toEqual(['queue-full']);
    });

    test('Malformed protobuf is INVALID_ARGUMENT', async () => {
      await expect(unary(methods.ModelInfer!, Buffer.from([0x0a, 9, 1]))).rejects.toMatchObject({
        code: status.INVALID_ARGUMENT,
        details: expect.stringMatching(/malformed protobuf message: 9 bytes announced at byte 2, 1 there/),
      });
      const garbled = { ...methods.ModelReady!, requestSerialize: () => Buffer.from([0x0f]) };
      await expect(unary(garbled, {})).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    });

    test('A message beyond the limit is RESOURCE_EXHAUSTED', async () => {
      const request = { ...GOOD, inputs: [a, { ...b, data: Buffer.alloc(LIMITS.maxBodyBytes) }] };
      await expect(infer(request)).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    });

    test('A taken port is an error with its remedy', async () => {
      const again = definition.start(service, { host: '127.0.0.1', port: frontend.port, limits: LIMITS });
      await expect(again).rejects.toThrow(/gRPC frontend at 127.0.0.1:\d+: cannot listen: .* Choose another port/);
    });
  });

  describe('the end of things', () => {
    const HANGING = { ...GOOD, parameters: { behaviour: 'hang' } };

    test('A client that cancels, or whose deadline passes, cancels its request', async () => {
      for (const options of [{}, { deadline: Date.now() + 50 }]) {
        service.cancelled = 0;
        const before = service.received.length;
        const method = methods.ModelInfer!;
        const { path, requestSerialize, responseDeserialize } = method;
        const call = client.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          encodeGrpcRequest(HANGING),
          options,
          () => {},
        );
        await until(() => service.received.length > before);
        if (!('deadline' in options)) call.cancel();
        await until(() => service.cancelled === 1);
      }
      service.release();
      await infer(GOOD);
      expect(service.cancelled).toBe(1);
    });

    test('Closing waits for the call in flight and answers it', async () => {
      const own = await definition.start(service, { host: '127.0.0.1', port: 0, limits: LIMITS });
      const other = new Client(own.address, credentials.createInsecure());
      const before = service.received.length;
      const answer = infer(HANGING, other);
      await until(() => service.received.length > before);
      const closing = own.close();
      service.release();
      expect((await answer).id).toBe('r1');
      await closing;
      other.close();
    });
  });

  async function infer(request: InferRequest, over = client) {
    return decodeGrpcResponse((await unary(methods.ModelInfer!, encodeGrpcRequest(request), over)) as Buffer);
  }

  function control(name: string, request: object = {}): Promise<unknown> {
    return unary(methods[name]!, request);
  }

  function unary(method: Method, request: object, over = client): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = method;
      over.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        (error: ServiceError | null, answer) => (error ? reject(error) : resolve(answer)),
      );
    });
  }
});

type Method = Pick<MethodDefinition<object, object>, 'path' | 'requestSerialize' | 'responseDeserialize'>;

function healthCheck(): Method {
  const proto = loadInferenceProto([healthProtoPath]);
  return (proto['grpc.health.v1.Health'] as unknown as Record<string, Method>).Check!;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
