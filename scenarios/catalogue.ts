import { z } from 'zod';
import { arrivals } from '../clients/arrivals/index.js';
import { externalTools } from '../clients/external/index.js';
import { loads } from '../clients/loads/index.js';
import { samples } from '../clients/samples/index.js';
import { transports } from '../clients/transports/index.js';
import { passes } from '../optimizers/passes/index.js';
import { formats } from '../results/formats/index.js';
import { gates } from '../results/gates/index.js';
import { metrics } from '../results/metrics/index.js';
import { monitors } from '../results/monitors/index.js';
import { views } from '../results/views/index.js';
import { controllers } from '../servers/controllers/index.js';
import { executors } from '../servers/executors/index.js';
import { frontends } from '../servers/frontends/index.js';
import { fronts } from '../servers/fronts/index.js';
import { llmSchedulers } from '../servers/llm/index.js';
import { models, packagedModels } from '../servers/models/index.js';
import { processors } from '../servers/processing/index.js';
import { runtimes } from '../servers/runtimes/index.js';
import { strategies } from '../servers/strategies/index.js';

/** One registered thing as `servemark list` and the JSON Schema see it. */
export interface CatalogueEntry {
  readonly name: string;
  readonly summary: string;
  readonly options?: z.ZodType;
  readonly originals?: Readonly<Record<string, string>>;
}

/** Every registry, by the name under which `servemark list` shows it. */
export const catalogue: Readonly<Record<string, readonly CatalogueEntry[]>> = {
  strategies,
  controllers,
  fronts,
  'llm-schedulers': llmSchedulers,
  loads,
  arrivals,
  transports,
  'external-tools': externalTools,
  samples,
  models: [...models, ...packagedModels],
  processors,
  runtimes,
  executors,
  frontends,
  metrics,
  gates,
  monitors,
  views,
  formats,
  passes,
};

/** An option as text: name, type, default. */
export interface OptionLine {
  readonly name: string;
  readonly type: string;
  readonly fallback: string;
  readonly original: string;
}

export function optionLines(entry: CatalogueEntry): OptionLine[] {
  if (!entry.options) return [];
  const json = z.toJSONSchema(entry.options, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  const required = new Set(json.required ?? []);
  return Object.entries(json.properties ?? {}).map(([name, property]) => ({
    name,
    type: typeText(property),
    fallback: property.default !== undefined ? JSON.stringify(property.default) : required.has(name) ? 'required' : '–',
    original: entry.originals?.[name] ?? '',
  }));
}

interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly default?: unknown;
}

function typeText(schema: JsonSchema): string {
  if (schema.enum) return schema.enum.map(String).join(' | ');
  if (schema.anyOf)
    return [...new Set(schema.anyOf.map(typeText))].join(' | ') === 'number | string'
      ? 'quantity'
      : schema.anyOf.map(typeText).join(' | ');
  if (schema.items) return `list of ${typeText(schema.items)}`;
  return String(schema.type ?? 'value');
}
