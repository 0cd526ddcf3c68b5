import { accuracy } from './accuracy.js';
import { arrivals } from './arrivals.js';
import { batches } from './batches.js';
import { components } from './components.js';
import type { ViewDefinition } from './contract.js';
import { cost } from './cost.js';
import { curve } from './curve.js';
import { decision } from './decision.js';
import { devices } from './devices.js';
import { ecdf } from './ecdf.js';
import { environment } from './environment.js';
import { findings } from './findings.js';
import { gateway } from './gateway.js';
import { headline } from './headline.js';
import { interference } from './interference.js';
import { league } from './league.js';
import { loads } from './loads.js';
import { overview } from './overview.js';
import { parallel } from './parallel.js';
import { pareto } from './pareto.js';
import { percentiles } from './percentiles.js';
import { queueing } from './queueing.js';
import { reproduce } from './reproduce.js';
import { served } from './served.js';
import { simulation } from './simulation.js';
import { tail } from './tail.js';
import { tenants } from './tenants.js';
import { timeline } from './timeline.js';
import { trials } from './trials.js';
import { tuning } from './tuning.js';
import { variants } from './variants.js';

/** Every section of a report, in its order. One import and one line per addition. */
export const views = [
  headline, // the answer in words
  decision, // which strategy when
  league, // strategies ranked
  tuning, // the search for a configuration
  variants, // what cheaper models cost and keep
  pareto, // the same as pictures
  overview, // systems × loads
  curve, // latency against throughput
  percentiles, // latency percentiles
  tenants, // the kinds of a mixed load
  served, // several models in one server
  interference, // what they do to each other
  gateway, // replicas, routes, autoscalers
  ecdf, // whole distributions
  timeline, // what happened when
  batches, // batch sizes
  components, // where the time goes
  parallel, // split models
  tail, // what makes the slowest 1 % slow
  cost, // CPU and memory
  devices, // event loops, GPU, energy
  accuracy, // right answers
  simulation, // measured beside simulated
  findings, // verdicts
  loads, // what was offered
  arrivals, // whether it was delivered so
  queueing, // theory beside it
  trials, // where each figure comes from
  environment, // the machine
  reproduce, // the command
] as const satisfies readonly ViewDefinition[];
