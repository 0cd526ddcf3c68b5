import { Client, credentials, type Metadata, type ServiceError } from '@grpc/grpc-js';
import { decodeGrpcResponse, encodeGrpcRequest } from '../../servers/protocol/grpc-codec.js';
import { inferenceService } from '../../servers/protocol/grpc-service.js';
import type { InferRequest, InferResponse } from '../../servers/protocol/types.js';

export interface RestAnswer {
  readonly status: number;
  /** The whole body where it is no error. */
  readonly text: string;
  /** The message of an error answer. */
  readonly error: string;
}

/** A POST as every HTTP client would send it. */
export async function post(
  url: string,
  path: string,
  body: string | Buffer,
  headers: Record<string, string> = {},
): Promise<RestAnswer> {
  const answer = await fetch(`${url}/v2/models/${path}`, {
    method: 'POST',
    body: new Uint8Array(Buffer.from(body)),
    headers,
  });
  const text = await answer.text();
  return { status: answer.status, text, error: answer.ok ? '' : (JSON.parse(text) as { error: string }).error };
}

/** A gRPC client of the inference service. */
export class GrpcCaller {
  readonly #client: Client;

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure());
  }

  /** Rejects with grpc-js's ServiceError. */
  async infer(request: InferRequest): Promise<InferResponse> {
    return decodeGrpcResponse(await this.raw(encodeGrpcRequest(request)));
  }

  /** ModelInfer with these bytes as its message. */
  raw(message: Buffer): Promise<Buffer> {
    const { path, requestSerialize, responseDeserialize } = inferenceService().ModelInfer!;
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        message,
        (error: ServiceError | null, answer?: object) => (error ? reject(error) : resolve(answer as Buffer)),
      );
    });
  }

  close(): void {
    this.#client.close();
  }
}

/** `reason` that the server puts into the trailer of a refusal. */
export function reasonOf(error: { metadata: Metadata }): unknown {
  return error.metadata.get('servemark-reason')[0];
}
