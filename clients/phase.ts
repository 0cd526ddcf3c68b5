import type { RecordTable } from '../results/record.js';
import { ClientsLoop } from './clients-loop.js';
import { ClosedLoop } from './closed-loop.js';
import type { Encode } from './encoded.js';
import type { Live } from './live.js';
import type { LoadPlan } from './loads/index.js';
import { OpenLoop } from './open-loop.js';
import type { ClientProcessing } from './processing.js';
import { type Judging, Requests } from './requests.js';
import type { Loop, Timeline } from './timeline.js';
import type { Transport } from './transports/index.js';

/** What warm-up and measured load have in common. */
export interface PhaseTools {
  readonly transport: Transport;
  readonly timeline: Timeline;
  readonly encoded: Encode;
  readonly judging: Judging | undefined;
  /** Absent: nothing is processed on the client's side. */
  readonly processing?: ClientProcessing | undefined;
  /** How long to wait for answers after the last request; the transport's own timeout is shorter. */
  readonly patienceMs: number;
  readonly signal: AbortSignal;
  readonly latencyBoundNs?: number | undefined;
}

export interface Phase {
  readonly plan: LoadPlan;
  /** Rows are appended. */
  readonly table: RecordTable;
  readonly warmUp: boolean;
  /** Clock reading of the plan's t = 0. */
  readonly originNs: number;
  /** An open plan is cut off after this long. */
  readonly maxDurationNs: number;
  readonly phaseChanged?: (phase: 'measuring' | 'draining', live: Live) => void;
}

export interface PhaseResult {
  readonly stoppedEarly: string | null;
  /** From t = 0 until nothing more was sent. */
  readonly sendingNs: number;
}

const ABORT_PATIENCE_MS = 2000;

/** Carries out a plan and waits for the last answer. */
export async function runPhase(phase: Phase, tools: PhaseTools): Promise<PhaseResult> {
  const { plan, table, originNs } = phase;
  const { timeline, signal, transport } = tools;
  const { encoded, judging, processing } = tools;
  const requests = new Requests(table, originNs, phase.warmUp, timeline, transport, encoded, judging, processing);
  requests.live.boundNs = tools.latencyBoundNs;
  phase.phaseChanged?.('measuring', requests.live);
  let loop: Loop | undefined;
  const interrupt = () => loop?.stop('interrupted');
  signal.addEventListener('abort', interrupt);
  const stoppedEarly = await new Promise<string | null>((ended) => {
    loop = makeLoop(phase, tools, requests, ended);
    if (signal.aborted) interrupt();
    else loop.start();
  });
  const sendingNs = timeline.now() - originNs;
  if (plan.mode === 'open' && !plan.sessions && (loop instanceof OpenLoop || loop instanceof ClientsLoop))
    addUnsent(plan, loop.issued, sendingNs, requests);
  phase.phaseChanged?.('draining', requests.live);
  const hurry = () => requests.cancelAfter(ABORT_PATIENCE_MS);
  if (signal.aborted) hurry();
  signal.addEventListener('abort', hurry);
  await requests.drain(tools.patienceMs);
  signal.removeEventListener('abort', interrupt);
  signal.removeEventListener('abort', hurry);
  return { stoppedEarly, sendingNs };
}

function makeLoop(
  phase: Phase,
  { timeline }: PhaseTools,
  { send, table }: Requests,
  ended: (stoppedEarly: string | null) => void,
): Loop {
  const { plan, originNs, maxDurationNs } = phase;
  if (plan.mode === 'open') {
    const options = { plan, originNs, maxDurationNs, timeline, send, ended };
    if (plan.closed) return new ClientsLoop({ ...options, capacity: table.capacity - table.length });
    return new OpenLoop(options);
  }
  return new ClosedLoop({ plan, originNs, capacity: table.capacity - table.length, timeline, send, ended });
}

/** A load that stopped early keeps what was due by then: leaving it out would flatter a server that was held back for. */
function addUnsent(
  plan: Extract<LoadPlan, { mode: 'open' }>,
  issued: number,
  sendingNs: number,
  requests: Requests,
): void {
  for (let k = issued; k < plan.dueNs.length && plan.dueNs[k]! <= sendingNs; k++)
    requests.addRow(plan.sampleIndex[k]!, plan.query[k]!, plan.dueNs[k]!, plan.mix?.of[k] ?? 0);
}
