import type { ViewDefinition } from './contract.js';

/** The command, and everything else that fixes the result. */
export const reproduce: ViewDefinition = {
  name: 'reproduce',
  summary: 'The command that reproduces the run, with model and seeds',
  render({ run: { plan } }) {
    const seeds = Object.entries(plan.seeds).map(([name, value]) => `${name} ${value}`);
    const model = plan.model.sha256 === null ? plan.model.name : `${plan.model.name}, sha256 \`${plan.model.sha256}\``;
    return [
      { kind: 'heading', text: 'Do it again' },
      { kind: 'code', text: plan.command },
      {
        kind: 'list',
        items: [
          `Model: ${model}`,
          ...(plan.model.provenance === '' ? [] : [`Provenance: ${plan.model.provenance}`]),
          `Seeds: ${seeds.join(', ') || 'none'}`,
        ],
      },
    ];
  },
};
