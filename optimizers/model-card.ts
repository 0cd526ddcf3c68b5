import { formatSize } from '../results/units.js';
import type { Fidelity, Share } from './fidelity.js';
import { trailMarkdown } from './recipes/trail.js';
import type { VariantProvenance } from './variant.js';

/** What a variant is, for whoever finds the file: Markdown. Source of the form: Mitchell et al., *Model Cards for Model Reporting*. */
export function modelCard(provenance: VariantProvenance): string {
  const { name, parent, bytes, files, samples, fidelity, plan } = provenance;
  const blocks = [
    `# ${name}`,
    `Made from \`${parent.name}\` (sha256 \`${parent.sha256}\`) by ${provenance.madeBy}.`,
    `| | before | after | ratio |\n| --- | ---: | ---: | ---: |\n| bytes | ${count(bytes.before)} | ${count(bytes.after)} | ${bytes.ratio.toFixed(3)} |`,
    '## Passes',
    ...provenance.passes.map(passText),
    provenance.recipe ? `## How it was arrived at\n\n${trailMarkdown(provenance.recipe)}` : '',
    '## Answers',
    fidelity
      ? fidelityText(fidelity)
      : 'Not compared with the parent: no samples were given. Measure accuracy before use.',
    samples
      ? `Passes looked at the samples \`${samples.name}\` (sha256 \`${samples.sha256}\`). Accuracy on samples that a pass trained on says nothing about others.`
      : '',
    '## Files',
    files.map((file) => `- \`${file.file}\`: ${formatSize(file.bytes)}, sha256 \`${file.sha256}\``).join('\n'),
    plan ? `The parts make one model as \`${plan}\` says.` : '',
    `## Use\n\n\`\`\`yaml\nsystems:\n  ${name}: { strategy: serial, model: { path: ${files[0]!.file} } }\n\`\`\``,
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

function passText({ name, options, facts, notes }: VariantProvenance['passes'][number]): string {
  const lines = [
    `### ${name}`,
    `Options: \`${JSON.stringify(options)}\``,
    ...Object.entries(facts).map(([key, value]) => `- ${key}: ${short(value)}`),
    ...notes.map((note) => `- ${note}.`),
  ];
  return lines.join('\n').replace(/(Options: .*)\n/, '\n$1\n\n');
}

function fidelityText(fidelity: Fidelity): string {
  const rows = [
    `| cosine with the parent | ${fidelity.cosine.toFixed(6)} |`,
    `| same largest output | ${percent(fidelity.agreement)} |`,
    `| largest difference | ${fidelity.largestDifference.toPrecision(3)} |`,
    ...(fidelity.topOne && fidelity.referenceTopOne
      ? [
          `| top-1 | ${shareText(fidelity.topOne)} |`,
          `| top-1 of the parent | ${shareText(fidelity.referenceTopOne)} |`,
        ]
      : []),
  ];
  return `On ${count(fidelity.count)} samples of \`${fidelity.samples}\`:\n\n| | |\n| --- | ---: |\n${rows.join('\n')}`;
}

/** `90.1 % (89.5–90.7)`: with the 95 % interval. */
export function shareText({ value, low, high }: Share): string {
  return `${percent(value)} (${(100 * low).toFixed(1)}–${(100 * high).toFixed(1)})`;
}

function percent(value: number): string {
  return `${(100 * value).toFixed(2)} %`;
}

function short(value: unknown): string {
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text.length > 200 ? `${text.slice(0, 197)}…` : text;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
