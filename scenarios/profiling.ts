import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { writeJsonAtomic } from '../results/files.js';
import type { CostTable } from '../servers/executors/index.js';
import { type ModelSpec, resolveModel } from '../servers/models/index.js';
import { DEFAULT_PROFILE_SIZES, profileModel } from '../servers/profile.js';
import { parseRuntimeOptions, runtimeNamed } from '../servers/runtimes/index.js';
import { findStrategy } from '../servers/strategies/index.js';
import type { SystemSpec } from './contract.js';
import { modelsOf } from './load-hosted.js';
import { type Profile, readProfile } from './profiles.js';

const ROUNDS = 30;

/** The cost tables of a run's models: measured when first needed, kept in the run folder, read back on resume. */
export class Profiles {
  readonly #tables = new Map<string, CostTable>();

  constructor(
    private readonly folder: string,
    private readonly signal: AbortSignal,
    private readonly note: (text: string) => void,
    /** A given table, for every model. */
    private readonly given?: string | undefined,
  ) {}

  /** Measures the tables of its models whose strategies plan with them. */
  async prepare(system: SystemSpec): Promise<void> {
    for (const { model, strategy } of modelsOf(system))
      if (findStrategy(strategy.name)?.usesProfile) await this.measure(model);
  }

  find(model: ModelSpec): CostTable | undefined {
    return this.#tables.get(JSON.stringify(model));
  }

  async measure(model: ModelSpec): Promise<CostTable> {
    const key = JSON.stringify(model);
    const known = this.#tables.get(key) ?? this.#stored(model);
    if (known) {
      this.#tables.set(key, known);
      return known;
    }
    this.note('measuring the cost table of the model');
    const cost = await profileModel({ model, sizes: DEFAULT_PROFILE_SIZES, rounds: ROUNDS }, this.signal);
    this.#tables.set(key, cost);
    const profile: Profile = {
      schema: 1,
      model: nameOf(model),
      sha256: null,
      measuredAt: new Date().toISOString(),
      cost,
    };
    writeJsonAtomic(this.#path(model), profile, 'the cost table');
    return cost;
  }

  /**
   * The table for virtual time. A parallel runtime's is made by arithmetic from those of its parts, each measured alone: as
   * many processors as workers, nothing lost between them. Of a given table a part costs its share in the plan.
   */
  async virtual(model: ModelSpec): Promise<CostTable> {
    const { runtime, path, runtimeOptions } = await resolveModel(model, this.signal);
    const definition = runtimeNamed(runtime);
    if (!definition.virtualCost) return this.measure(model);
    const given = this.given === undefined ? undefined : readProfile(this.given);
    return definition.virtualCost(path, parseRuntimeOptions(definition, runtimeOptions), async (part) =>
      given
        ? given.map(([rows, ns]) => [rows, Math.round(ns * part.share)] as const)
        : this.measure({ path: part.path, options: part.options }),
    );
  }

  #stored(model: ModelSpec): CostTable | undefined {
    const path = this.#path(model);
    if (this.given) return readProfile(this.given);
    return existsSync(path) ? readProfile(path) : undefined;
  }

  #path(model: ModelSpec): string {
    // The name alone would not do: two systems may load one file with different options.
    const digest = createHash('sha256').update(JSON.stringify(model)).digest('hex').slice(0, 8);
    return join(this.folder, `profile-${digest}.json`);
  }
}

function nameOf(model: ModelSpec): string {
  if ('zoo' in model) return model.zoo;
  return 'path' in model ? model.path : JSON.stringify(model);
}
