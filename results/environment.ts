/** What the numbers were measured on. Absent is null. */
export interface Environment {
  readonly schema: number;
  readonly capturedAt: string;
  readonly host: { readonly platform: string; readonly kernel: string; readonly architecture: string };
  readonly cpu: {
    readonly model: string;
    readonly logicalCores: number;
    readonly flags: readonly string[];
    readonly governor: string | null;
    readonly affinity: string | null;
    readonly mhz: number | null;
  };
  readonly memory: { readonly totalBytes: number; readonly availableBytes: number | null };
  readonly cgroup: { readonly cpuQuotaCores: number | null; readonly memoryLimitBytes: number | null };
  readonly load: { readonly average1m: number | null; readonly stealPercentSinceBoot: number | null };
  readonly node: { readonly version: string; readonly v8: string; readonly uv: string };
  readonly onnxruntime: { readonly version: string | null; readonly providers: readonly string[] };
  readonly servemark: { readonly version: string; readonly commit: string | null; readonly dirty: boolean | null };
  readonly gpu:
    | { readonly state: 'present'; readonly names: readonly string[] }
    | { readonly state: 'absent'; readonly reason: string };
}
