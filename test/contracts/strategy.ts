import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UserError } from '../../results/errors.js';
import { instanceList, strategyContext } from '../../servers/executors/context.js';
import type { CostTable } from '../../servers/executors/contract.js';
import { costModel } from '../../servers/executors/cost.js';
import { simulate } from '../../servers/executors/virtual.js';
import type { StrategyDefinition, StrategyRequest } from '../../servers/strategies/contract.js';
import {
  type Cancellation,
  execute,
  type Fate,
  plain,
  type ReferenceLog,
} from '../servers/strategies/reference-executor.js';
import { requestLists } from '../servers/strategies/request-lists.js';

const RUNS = 150;
const SEED = 20_260_101;
const COST: CostTable = [
  [1, 2_000_000],
  [4, 5_000_000],
];
const SPEEDS = [1, 0.5, 2, 1.5];

/** What every strategy promises, as tests of this one. */
export function strategyContract(definition: StrategyDefinition): void {
  const examples = definition.examples ?? [{}];
  const scenes = fc.record({
    options: fc.constantFrom(...examples).map((example) => definition.options.parse(example)),
    instances: fc.integer({ min: 1, max: 4 }),
    requests: requestLists(),
  });
  const property = (check: (scene: Scene) => unknown) =>
    fc.assert(
      fc.property(scenes, (scene) => {
        check(scene);
      }),
      { seed: SEED, numRuns: RUNS },
    );

  test('answers or rejects every request exactly once, on idle instances, after its arrival', () => {
    property((scene) => run(definition, scene));
  });

  test('puts no more rows into an execution than it says', () => {
    property((scene) => {
      const requests = scene.requests.map((request) => ({ ...request, rows: 1 }));
      const most = definition.maxRows(scene.options);
      for (const { execution } of run(definition, { ...scene, requests }).executions) {
        expect(execution.rows).toBeLessThanOrEqual(most);
        expect(execution.rows).toBe(execution.requests.length);
      }
    });
  });

  test('executes a request once at most and answers it by that execution only, where it promises so', () => {
    property((scene) => {
      if (!definition.executesOnce) return;
      const { executions, fates } = run(definition, scene);
      const executed = executions.flatMap(({ execution }) => execution.requests.map(({ id }) => id));
      expect(new Set(executed).size).toBe(executed.length);
      expect(executions.some(({ killed }) => killed)).toBe(false);
      for (const fate of fates.values()) expect(fate).toMatch(/^rejected|\(execution\)$/);
    });
  });

  test('does the same when it is run again', () => {
    property((scene) => expect(plain(run(definition, scene))).toEqual(plain(run(definition, scene))));
  });

  test('does the same in the virtual executor as in the reference executor', () => {
    property((scene) => expect(simulated(definition, scene)).toEqual(plain(run(definition, scene))));
  });

  test('leaves no instance idle while a request waits, where it promises so', () => {
    property((scene) => {
      if (definition.workConserving?.(scene.options) === true) run(definition, scene, { workConserving: true });
    });
  });

  test('drops a cancelled request that waits, exactly once, and answers all others', () => {
    const delays = fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(scenes, delays, (scene, delaysMs) => {
        const cancellations = scene.requests
          .filter((_, i) => i % 3 === 1)
          .map((request, i) => ({ at: request.at + delaysMs[i % delaysMs.length]! * 1_000_000, request }));
        run(definition, scene, { cancellations });
      }),
      { seed: SEED, numRuns: RUNS },
    );
  });

  test('knows nothing of a request that was never offered', () => {
    const { machine } = make(definition, {
      options: definition.options.parse(examples[0]),
      instances: 1,
      requests: [],
    });
    expect(machine.cancel({ id: 'stranger', at: 0, rows: 1 }, 0)).toBe(false);
    expect(machine.poll(0)).toBeUndefined();
    expect(machine.waiting()).toBe(0);
  });

  test('refuses an option that it does not have', () => {
    expect(definition.options.safeParse({ ...(examples[0] as object), noSuchOption: 1 }).success).toBe(false);
  });
}

interface Scene {
  readonly options: unknown;
  readonly instances: number;
  readonly requests: readonly StrategyRequest[];
}

interface Extra {
  readonly workConserving?: boolean;
  readonly cancellations?: readonly Cancellation[];
}

function run(definition: StrategyDefinition, scene: Scene, extra: Extra = {}): ReferenceLog {
  const { machine, instances, durationOf } = make(definition, scene);
  const { requests } = scene;
  return execute({ strategy: machine, instances: instances.length, durationOf, requests, ...extra });
}

/** The same scene in the virtual executor, as the reference executor logs it. */
function simulated(definition: StrategyDefinition, scene: Scene) {
  const { machine, instances, durationOf } = make(definition, scene);
  const fates = new Map<string, Fate>();
  const executions: ReferenceLog['executions'][number][] = [];
  simulate(
    { strategy: machine, instances, durationOf, requests: scene.requests },
    {
      started: (execution, start, end) => executions.push({ execution, start, end, killed: false }),
      ended: (execution, _start, end, killed) =>
        Object.assign(executions.findLast((started) => started.execution === execution)!, { end, killed }),
      answered: ({ id }, at, source) => fates.set(id, `answered at ${at} (${source})`),
      rejected: ({ id }, at, reason) => fates.set(id, `rejected at ${at}: ${reason}`),
    },
  );
  return plain({ executions, fates });
}

/** A strategy over as many instances as the scene has, or over four where its options name more. */
function make(definition: StrategyDefinition, { options, instances: wanted }: Scene) {
  for (const count of [wanted, 4]) {
    const instances = instanceList(SPEEDS.slice(0, count).map((speed) => ({ speed })));
    const costs = costModel(instances, { cost: COST });
    try {
      const machine = definition.create(options, strategyContext(instances, costs));
      return { machine, instances, durationOf: costs.durationOf };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    }
  }
  throw new Error(`${definition.name} can't be made over four instances`);
}
