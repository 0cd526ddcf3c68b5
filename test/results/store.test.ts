import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { writeRecords } from '../../results/arrow.js';
import type { Environment } from '../../results/environment.js';
import { UserError } from '../../results/errors.js';
import { fileError, writeFileAtomic } from '../../results/files.js';
import type { RunPlan } from '../../results/run.js';
import { createRun, listRuns, readRun, readTrialRecords, resumeRun, safeName } from '../../results/store.js';
import { summarise } from '../../results/summarise.js';
import type { TrialOutcome } from '../../results/summary.js';
import { factsOf, recordsOf, steady } from './facts.js';

const root = mkdtempSync(join(tmpdir(), 'runs with space '));
afterAll(() => rmSync(root, { recursive: true }));

const NOW = new Date(2026, 0, 31, 23, 59, 58);
const environment = { schema: 1 } as Environment;

function planOf(ids: readonly string[]): RunPlan {
  return {
    ...{ schema: 1, question: 'Which?', scenario: 'quick start', command: 'servemark run', systems: [], loads: [] },
    ...{ transports: ['rest'], targets: {}, seeds: {}, simulated: false, settings: {} },
    model: { name: 'm', sha256: null, provenance: '' },
    trials: ids.map((id) => ({ identity: identity(id), detail: {} })),
  };
}

function identity(id: string) {
  return factsOf([], { identity: { id } }).identity;
}

function completed(id: string): TrialOutcome {
  return { state: 'completed', summary: summarise(factsOf(steady(5, 10, 1), { identity: { id } })) };
}

function failed(id: string): TrialOutcome {
  return { state: 'failed', trial: identity(id), error: 'the worker died', lastLines: ['out of memory'] };
}

describe('a run folder', () => {
  it('holds plan, environment and scenario before anything starts, under time and name', () => {
    const store = createRun(root, planOf(['a.r1']), environment, { scenarioText: 'schema: 1\n', now: NOW });
    expect(basename(store.folder)).toBe('20260131-235958-quick-start');
    expect(readdirSync(store.folder).sort()).toEqual([
      ...['environment.json', 'lock', 'plan.json', 'scenario.yaml', 'state.json'],
    ]);
    expect(readFileSync(join(store.folder, 'scenario.yaml'), 'utf8')).toBe('schema: 1\n');
    expect(readRun(store.folder)).toMatchObject({ state: 'running', outcomes: [], plan: { question: 'Which?' } });
    store.finish('completed');
    expect(existsSync(join(store.folder, 'lock'))).toBe(false);
  });

  it('of the same second gets a number', () => {
    const store = createRun(root, planOf([]), environment, { now: NOW });
    expect(basename(store.folder)).toBe('20260131-235958-quick-start-2');
    store.finish('completed');
    expect(listRuns(root).map((folder) => basename(folder))).toContain('20260131-235958-quick-start-2');
  });

  it('gives back what was written, in the plan’s order', () => {
    const store = createRun(root, planOf(['one', 'two', 'three', 'four']), environment);
    store.writeOutcome({ state: 'skipped', trial: identity('three'), reason: 'no GPU' });
    store.writeOutcome(failed('two'));
    store.writeOutcome(completed('one'));
    writeRecords(store.recordsPath('one'), recordsOf(steady(5, 10, 1)), {});
    store.finish('completed');
    const run = readRun(store.folder);
    expect(run.state).toBe('completed');
    expect(run.outcomes).toEqual([
      completed('one'),
      failed('two'),
      { state: 'skipped', trial: identity('three'), reason: 'no GPU' },
    ]);
    expect(readTrialRecords(store.folder, 'one')!.length).toBe(5);
    expect(readTrialRecords(store.folder, 'two')).toBeUndefined();
  });

  it('loses one trial in a crash: a half-written summary and broken records are not there', () => {
    const store = createRun(root, planOf(['whole', 'torn', 'begun']), environment);
    store.writeOutcome(completed('whole'));
    writeFileSync(join(store.trialFolder('torn'), 'summary.json'), '{"schema": 1, "trial": {');
    writeFileSync(store.recordsPath('begun'), 'ARROW1');
    const run = readRun(store.folder);
    expect(run.outcomes).toEqual([completed('whole')]);
    expect(readTrialRecords(store.folder, 'begun')).toBeUndefined();
    store.finish('interrupted');
    expect(readRun(store.folder).state).toBe('interrupted');
  });

  it('keeps one outcome a trial when a failed one is run again', () => {
    const store = createRun(root, planOf(['again']), environment);
    store.writeOutcome(failed('again'));
    store.writeOutcome(completed('again'));
    store.finish('completed');
    expect(readdirSync(store.trialFolder('again'))).toEqual(['summary.json']);
  });

  it('refuses trial ids that are no folder names, all at once', () => {
    const wrong = () => createRun(root, planOf(['fine', '../up', 'Two', 'two', '.hidden']), environment);
    expect(wrong).toThrow(UserError);
    try {
      wrong();
    } catch (error) {
      expect((error as UserError).problems).toHaveLength(3);
    }
  });

  it('that is none is refused with its path', () => {
    expect(() => readRun(join(root, 'nowhere'))).toThrow(/nowhere: there is no such folder/);
    mkdirSync(join(root, 'empty'));
    expect(() => readRun(join(root, 'empty'))).toThrow(/plan\.json is missing/);
  });

  it('of another schema is refused', () => {
    const folder = join(root, 'future');
    mkdirSync(folder);
    writeFileSync(join(folder, 'plan.json'), '{"schema": 99}');
    expect(() => readRun(folder)).toThrow(/its schema is 99/);
  });
});

describe('the lock', () => {
  it('keeps a second run out of a folder while its process lives', () => {
    const store = createRun(root, planOf([]), environment);
    expect(() => resumeRun(store.folder)).toThrow(new RegExp(`process ${process.pid} on`));
    store.finish('interrupted');
    resumeRun(store.folder).finish('completed');
    expect(readRun(store.folder).state).toBe('completed');
  });

  it('of a dead process is taken over, and its run counts as interrupted', () => {
    const store = createRun(root, planOf([]), environment);
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    writeFileSync(join(store.folder, 'lock'), JSON.stringify({ pid: dead, host: hostname(), startTicks: null }));
    expect(readRun(store.folder).state).toBe('interrupted');
    resumeRun(store.folder).finish('completed');
    expect(readdirSync(store.folder).filter((name) => name.startsWith('lock'))).toEqual([]);
  });

  it('of a process whose pid was given to another is taken over', () => {
    const store = createRun(root, planOf([]), environment);
    if (!existsSync('/proc/self/stat')) return store.finish('completed');
    writeFileSync(join(store.folder, 'lock'), JSON.stringify({ pid: process.ppid, host: hostname(), startTicks: '1' }));
    resumeRun(store.folder).finish('completed');
  });

  it('of another host is respected', () => {
    const store = createRun(root, planOf([]), environment);
    writeFileSync(join(store.folder, 'lock'), JSON.stringify({ pid: 1, host: 'elsewhere', startTicks: null }));
    expect(() => resumeRun(store.folder)).toThrow(/process 1 on elsewhere/);
  });
});

describe('a write that fails', () => {
  it('says what is lost and what to do, and leaves the old file whole', () => {
    const folder = join(root, 'closed');
    mkdirSync(folder);
    writeFileSync(join(folder, 'file'), 'old');
    const notAFolder = join(folder, 'file', 'below');
    expect(() => writeFileAtomic(notAFolder, 'new', 'this trial')).toThrow(
      /lost is this trial, nothing that was written before/,
    );
    expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('old');
  });

  it('on a full disk names --resume', () => {
    const error = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    const message = fileError('/x/records.arrow', error, 'the records of this trial').message;
    expect(message).toBe(
      '/x/records.arrow: the disk is full; lost is the records of this trial, nothing that was written before. Free some space, then go on with --resume.',
    );
  });

  it('advises --resume only where there is a trial to go on with', () => {
    const error = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
    expect(fileError('/x/m.onnx', error, 'the model').message).toMatch(/Free some space, then start it again\.$/);
    expect(fileError('/x', error, 'the trials from here on').message).toMatch(/then go on with --resume\.$/);
  });

  it('without permission advises another folder', (context) => {
    if (process.getuid?.() === 0) context.skip('root may write anywhere');
    const folder = join(root, 'read-only');
    mkdirSync(folder);
    chmodSync(folder, 0o500);
    expect(() => createRun(folder, planOf([]), environment)).toThrow(/no permission to write there/);
  });
});

describe('what happened to a run folder later', () => {
  const filled = (name: string) => {
    const store = createRun(join(root, name), planOf(['a.r1', 'b.r1']), environment);
    for (const id of ['a.r1', 'b.r1']) {
      writeRecords(store.recordsPath(id), recordsOf(steady(5, 10, 1)), {});
      store.writeOutcome(completed(id));
    }
    store.finish('completed');
    return store.folder;
  };

  it('is told: records cut short, a summary of another version or without content', () => {
    const folder = filled('damaged');
    expect(readRun(folder).damaged).toBeUndefined();
    const records = join('trials', 'a.r1', 'records.arrow');
    writeFileSync(join(folder, records), readFileSync(join(folder, records)).subarray(0, 500));
    const summary = join('trials', 'b.r1', 'summary.json');
    for (const content of ['{"schema":7}', '{"schema":1}', '{"sche']) {
      writeFileSync(join(folder, summary), content);
      const run = readRun(folder);
      expect(run.damaged, content).toEqual([records, summary]);
      expect(run.outcomes, content).toHaveLength(1);
    }
  });

  it('is refused where plan or environment are hollow', () => {
    const folder = filled('hollow');
    writeFileSync(join(folder, 'environment.json'), '{}');
    expect(() => readRun(folder)).toThrow(/environment\.json is missing or broken/);
    writeFileSync(join(folder, 'plan.json'), '{"schema":1}');
    expect(() => readRun(folder)).toThrow(/plan\.json is broken: it lists no trials/);
  });
});

describe('safe names', () => {
  it('keep what every file system takes', () => {
    expect(safeName('half of it / rest')).toBe('half-of-it-rest');
    expect(safeName('../../etc')).toBe('etc');
    expect(safeName('…')).toBe('run');
  });
});
