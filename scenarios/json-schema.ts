import { z } from 'zod';
import { loads } from '../clients/loads/index.js';
import { transports } from '../clients/transports/index.js';
import { models, packagedModels } from '../servers/models/index.js';
import { strategies } from '../servers/strategies/index.js';
import { externalSystemSchema, loadSchema, scenarioSchema, systemSchema } from './schema.js';

type Json = Record<string, unknown>;

/** JSON Schema (draft 7) of scenario files, made from the registries: editors complete what `servemark list` shows. */
export function scenarioJsonSchema(): Json {
  const schema = convert(scenarioSchema);
  const properties = schema.properties as Record<string, Json>;
  const names = [...models, ...packagedModels].map((model) => model.name);
  return {
    ...schema,
    title: 'servemark scenario',
    required: ['schema', 'question', 'systems', 'loads'],
    properties: {
      ...properties,
      model: { ...properties.model, examples: names },
      transports: { type: 'array', minItems: 1, items: { enum: transports.map((each) => each.name) } },
      systems: {
        type: 'object',
        minProperties: 1,
        additionalProperties: {
          oneOf: [
            ...strategies.map((each) => systemOf(each.name, each.summary, each.options)),
            { ...convert(externalSystemSchema), description: 'a server that is not ours' },
          ],
        },
      },
      loads: {
        type: 'object',
        minProperties: 1,
        additionalProperties: { oneOf: loads.map((each) => loadOf(each.name, each.summary, each.options)) },
      },
    },
  };
}

function systemOf(name: string, summary: string, options: z.ZodType): Json {
  const own = convert(options);
  const common = convert(systemSchema);
  return {
    type: 'object',
    description: summary,
    additionalProperties: false,
    required: ['strategy'],
    properties: {
      ...(common.properties as Json),
      strategy: { const: name, description: summary },
      ...(own.properties as Json | undefined),
    },
  };
}

function loadOf(name: string, summary: string, options: z.ZodType): Json {
  const own = convert(options);
  return {
    type: 'object',
    description: summary,
    additionalProperties: false,
    required: ['type', ...((own.required as string[] | undefined) ?? [])],
    properties: {
      type: { const: name, description: summary },
      ...(convert(loadSchema).properties as Json),
      ...(own.properties as Json | undefined),
    },
  };
}

function convert(schema: z.ZodType): Json {
  const { $schema: _version, ...rest } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    target: 'draft-7',
  }) as Json;
  return rest;
}
