import { describe } from 'vitest';
import type { StrategyDefinition } from '../../../servers/strategies/contract.js';
import { strategies } from '../../../servers/strategies/registry.js';
import { strategyContract } from '../../contracts/strategy.js';

/** Every registered strategy is held to its contract; a new one is tested by being registered. */
describe.each(strategies as readonly StrategyDefinition[])('$name', (definition) => strategyContract(definition));
