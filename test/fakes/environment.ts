import type { Environment } from '../../results/environment.js';

/** A machine that does not exist. */
export function fakeEnvironment(): Environment {
  return {
    schema: 1,
    capturedAt: '2026-01-31T12:00:00.000Z',
    host: { platform: 'linux', kernel: '6.1.0', architecture: 'x64' },
    cpu: {
      model: 'Example 9000 CPU @ 2.40GHz',
      logicalCores: 2,
      flags: ['sse4_2', 'avx', 'avx2', 'fma', 'ht'],
      governor: null,
      affinity: '0-1',
      mhz: 2400,
    },
    memory: { totalBytes: 8 * 1024 ** 3, availableBytes: 6 * 1024 ** 3 },
    cgroup: { cpuQuotaCores: null, memoryLimitBytes: null },
    load: { average1m: 0.42, stealPercentSinceBoot: 0.1 },
    node: { version: 'v20.20.2', v8: '11.3', uv: '1.46' },
    onnxruntime: { version: '1.30.0', providers: ['cpu'] },
    servemark: { version: '0.1.0', commit: '0123456789abcdef', dirty: false },
    gpu: { state: 'absent', reason: 'no NVIDIA driver' },
  };
}
