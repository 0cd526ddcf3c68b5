import { z } from 'zod';
import { defineRuntime } from './contract.js';
import { echoMetadata, echoOutputs, interfaceShape } from './echo.js';

/** Answers at once, on the server's own thread: what remains of a request's latency is the harness itself. Source: MLPerf's null SUT. */
export const nullRuntime = defineRuntime({
  name: 'null',
  summary: 'Answers at once, without a worker: measures the harness itself',
  options: z.strictObject(interfaceShape),
  inline: true,
  create: async (_modelPath, options) => ({
    metadata: echoMetadata('null', options),
    execute: async (inputs, rows, outputs) => echoOutputs(options.outputs, inputs, rows, outputs),
    executeNow: (inputs, rows, outputs) => echoOutputs(options.outputs, inputs, rows, outputs),
    close: async () => {},
  }),
});
