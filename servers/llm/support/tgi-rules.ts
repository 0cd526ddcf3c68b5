/** What a request asks of a batch. */
export interface Demand {
  readonly promptTokens: number;
  readonly outputTokens: number;
}

/** What a batch may use at most. */
export interface Room {
  /** Prompt tokens. */
  readonly prefillBudget: number;
  /** Prompt and output tokens. */
  readonly tokenBudget: number;
  readonly freeBlocks: number;
  readonly blockSize: number;
  /** Requests. */
  readonly places: number;
}

/** How few waiting requests may interrupt those that run: a part of them, any number after a long wait. Source: TGI. */
export function tgiMinimum(running: number, ratio: number, waitedSteps: number, maxWaitingTokens: number): number {
  if (running === 0) return 1;
  return waitedSteps >= maxWaitingTokens ? 0 : Math.floor(running * ratio);
}

/** How many from the head of the queue make the next batch; 0 where fewer than the minimum would. Source: TGI's queue. */
export function tgiTake(queue: Iterable<Demand>, waiting: number, minimum: number, room: Room): number {
  if (waiting === 0 || waiting < minimum) return 0;
  const taken = fitting(queue, room);
  return taken < Math.max(1, minimum) ? 0 : taken;
}

/** The head of the line blocks: what comes behind the first that does not fit is not looked at. */
function fitting(queue: Iterable<Demand>, room: Room): number {
  let taken = 0;
  let prompts = 0;
  let outputs = 0;
  let blocks = 0;
  for (const { promptTokens, outputTokens } of queue) {
    if (taken >= room.places) break;
    prompts += promptTokens;
    outputs += outputTokens;
    blocks += Math.ceil((promptTokens + outputTokens - 1) / room.blockSize);
    if (prompts > room.prefillBudget || prompts + outputs > room.tokenBudget || blocks > room.freeBlocks) break;
    taken++;
  }
  return taken;
}
