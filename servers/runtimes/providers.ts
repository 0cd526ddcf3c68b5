import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Providers that compute on an NVIDIA device. */
const NVIDIA: readonly string[] = ['cuda', 'tensorrt'];

/** Any of them exists where the kernel has the driver; which one depends on how a container is made. */
const DRIVER_FILES = ['proc/driver/nvidia/version', 'dev/nvidiactl', 'dev/nvidia0'];

/**
 * What this machine lacks for the execution providers that are asked for, or undefined where nothing is known to lack. Whoever
 * asks for a GPU must not be answered by the CPU: a trial without its device is skipped, not run elsewhere.
 * `root` and `library` stand in for this machine's files in tests.
 */
export function lackOf(
  providers: readonly string[],
  { root = '/', library = providerLibrary }: { root?: string; library?: (provider: string) => string | undefined } = {},
): string | undefined {
  const asked = providers.find((provider) => NVIDIA.includes(provider));
  if (asked === undefined || process.platform !== 'linux') return undefined;
  if (!hasNvidiaDriver(root)) return `no GPU: ${asked} needs an NVIDIA driver, and this machine has none`;
  const path = library(asked);
  if (path === undefined || existsSync(path)) return undefined;
  return `no ${asked} provider: ${path} is absent. Lay the provider libraries of the same ONNX Runtime version there; \`servemark doctor\` tells which`;
}

/** Whether the kernel has NVIDIA's driver. */
export function hasNvidiaDriver(root = '/'): boolean {
  return DRIVER_FILES.some((file) => existsSync(join(root, file)));
}

/** Where ONNX Runtime's Node binding looks for the library of a provider; undefined where the package is laid out otherwise. */
export function providerLibrary(provider: string): string | undefined {
  let root: string;
  try {
    root = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  } catch {
    return undefined;
  }
  for (const api of ['napi-v6', 'napi-v3']) {
    const folder = join(root, 'bin', api, process.platform, process.arch);
    if (existsSync(folder)) return join(folder, `libonnxruntime_providers_${provider}.so`);
  }
  return undefined;
}
