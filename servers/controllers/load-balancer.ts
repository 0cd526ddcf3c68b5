import { z } from 'zod';
import { Balancer, balancerShape } from '../strategies/support/balancer.js';
import { defineController } from './contract.js';
import { answering, operations } from './support/steps.js';

/** Those of the strategy of this name; without instances one must say what the upstreams are, or there is one. */
const options = z.strictObject(balancerShape);

/** The balancer of the `load-balancer` strategy alone, one operation at a time. Source: NGINX's upstream module. */
export const loadBalancer = defineController({
  name: 'load-balancer',
  summary: 'Picks an upstream: round robin, weights, least connections, address hash, best of two',
  source: 'NGINX upstream',
  options,
  create(given) {
    const upstreams = given.upstreams ?? [{ weight: 1 }];
    const balancer = new Balancer({ ...given, upstreams });
    const upstream = z
      .number()
      .int()
      .min(0)
      .max(upstreams.length - 1);
    return operations('load-balancer', {
      pick: answering('load-balancer.pick', pick, (step) => ({
        upstream: balancer.pick(step.at, { client: step.client, draws: () => step.draws ?? [] }) ?? null,
        connections: balancer.connections(),
      })),
      done: answering('load-balancer.done', done.extend({ upstream }), (step) => {
        balancer.done(step.upstream, step.ok, step.at);
        return { connections: balancer.connections() };
      }),
    });
  },
});

const pick = z.object({
  at: z.number().default(0),
  client: z.string().optional(),
  draws: z.array(z.number().min(0).lt(1)).optional(),
});

const done = z.object({ at: z.number().default(0), ok: z.boolean().default(true) });
