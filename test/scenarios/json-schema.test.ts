import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { scenarioJsonSchema } from '../../scenarios/json-schema.js';
import { strategies } from '../../servers/strategies/registry.js';

test('the schema file for editors is the one that the registries give (npx servemark list --json-schema > scenarios/scenario.schema.json)', () => {
  const stored = JSON.parse(readFileSync('scenarios/scenario.schema.json', 'utf8')) as unknown;
  expect(stored).toEqual(JSON.parse(JSON.stringify(scenarioJsonSchema())));
});

test('the schema knows every strategy with its options', () => {
  const schema = scenarioJsonSchema() as {
    properties: { systems: { additionalProperties: { oneOf: { properties: Record<string, { const?: string }> }[] } } };
  };
  const known = schema.properties.systems.additionalProperties.oneOf;
  expect(known.flatMap((each) => each.properties.strategy?.const ?? [])).toEqual(
    strategies.map((strategy) => strategy.name),
  );
  expect(known.filter((each) => each.properties.external)).toHaveLength(1);
  const dynamic = known.find((each) => each.properties.strategy?.const === 'triton-dynamic')!;
  expect(Object.keys(dynamic.properties)).toContain('maxQueueDelay');
});
