import type { CallResult, Transport } from '../../clients/transports/contract.js';
import type { FakeTimeline } from './fake-timeline.js';

/** A server in fake time: `answerAt(sentNs, n)` says when the n-th request is answered. */
export function fakeTransport(
  timeline: FakeTimeline,
  answerAt: (sentNs: number, n: number) => number,
  result: Partial<CallResult> = {},
): Transport & { mostInFlight: number } {
  let count = 0;
  let inFlight = 0;
  const transport = {
    mostInFlight: 0,
    ready: async () => true,
    modelMetadata: async () => ({ name: 'fake', platform: 'fake', inputs: [], outputs: [] }),
    statistics: async () => undefined,
    encode: (request: unknown) => request,
    infer(_encoded: unknown, done: (result: CallResult) => void) {
      inFlight++;
      transport.mostInFlight = Math.max(transport.mostInFlight, inFlight);
      const at = answerAt(timeline.now(), count++);
      timeline.at(at, () => {
        inFlight--;
        done({ outcome: 'ok', firstByteNs: at, completedNs: at, ...result });
      });
      return { cancel() {} };
    },
    close: async () => {},
  };
  return transport;
}
