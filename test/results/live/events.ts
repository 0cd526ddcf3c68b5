import type { LiveEvent, LiveSample } from '../../../results/live/index.js';

export function sample(t: number, more: Partial<LiveSample> = {}): LiveSample {
  const latency = { p50Ns: 2e6, p90Ns: 4e6, p99Ns: 9e6 };
  const counts = { ratePerSecond: 500, outstanding: 3, errors: 0 };
  return { kind: 'sample', t, phase: 'measuring', fraction: 0.5, ...latency, ...counts, device: {}, ...more };
}

export interface Message {
  readonly kind: string;
  readonly events: LiveEvent[];
  /** ms */
  readonly at: number;
}

/** Reads a stream of server-sent events until it ends. */
export async function readEvents(url: string, onMessage: (message: Message) => void): Promise<void> {
  const response = await fetch(url);
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body!) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    for (;;) {
      const end = text.indexOf('\n\n');
      if (end < 0) break;
      const [, kind, data] = /^event: (\w+)\ndata: (.*)$/.exec(text.slice(0, end))!;
      text = text.slice(end + 2);
      onMessage({ kind: kind!, events: JSON.parse(data!) as LiveEvent[], at: performance.now() });
    }
  }
}
