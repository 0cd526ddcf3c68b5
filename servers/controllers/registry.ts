import { checked, lookUp } from '../../results/lookup.js';
import { clipperSelect } from './clipper-select.js';
import type { Controller, ControllerDefinition } from './contract.js';
import { hpa } from './hpa.js';
import { infaas } from './infaas.js';
import { kedaQueue } from './keda-queue.js';
import { kpaConcurrency } from './kpa-concurrency.js';
import { llmRules } from './llm-rules.js';
import { loadBalancer } from './load-balancer.js';
import { modelmeshLru } from './modelmesh-lru.js';
import { predictionCache } from './prediction-cache.js';
import { predictive } from './predictive.js';
import { routeAb } from './route-ab.js';
import { routeCanary } from './route-canary.js';
import { scheduleArithmetic } from './schedule-arithmetic.js';

/** Every controller. One import and one line per addition. */
export const controllers = [
  clipperSelect, // a bandit over models
  predictionCache, // CLOCK or least recently used
  loadBalancer, // which upstream
  routeAb, // which arm, for good
  routeCanary, // a growing share, or none
  hpa, // replicas by usage over target
  kedaQueue, // replicas by queue lag, down to zero
  kpaConcurrency, // replicas by concurrency, with panic
  predictive, // replicas by a forecast of the rate
  modelmeshLru, // which models stay in memory
  infaas, // which variant of a model
  scheduleArithmetic, // pipelines, tensor parallelism, speculation on paper
  llmRules, // single rules of LLM servers
] as const satisfies readonly ControllerDefinition[];

/** The definition of that name, if there is one. */
export function findController(name: string): ControllerDefinition | undefined {
  return controllers.find((definition) => definition.name === name);
}

/** A new controller of that name. Throws UserError where the name or an option is wrong, with every problem of them. */
export function createController(name: string, options: unknown = {}): Controller {
  const definition = lookUp<ControllerDefinition>(controllers, name, 'controller');
  return definition.create(checked(definition.options, options, name));
}
