import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyCommand } from '../../src/machine/apply.ts';
import { type Build, isOver, stateOf } from '../../src/machine/build.ts';
import { MESSAGE_NAMES, parseMessage } from '../../src/machine/messages.ts';
import { STATES } from '../../src/machine/states.ts';
import { MESSAGE_DESCRIPTIONS, QUERY_DESCRIPTIONS } from '../../src/workflows/descriptions.ts';
import { currentDetails, flushSummary, phaseSummary } from '../../src/workflows/details.ts';
import { quoted } from '../../src/workflows/markdown.ts';
import {
  aborting,
  advancing,
  apply,
  buildIn,
  failing,
  parkedIn,
  play,
  RESULTS,
  retrying,
  rollingBack,
  start,
  startExternal,
} from '../machine/sample-builds.ts';

const OPEN = STATES.filter((state) => state !== 'error' && state !== 'complete');
const HOSTILE = `<img src=x onerror="alert(1)"> \`<script>\` [a](https://evil.example) ![b](c) **d**\n# e\n| f |\u202eg`;

/** Builds in every state: driven by people, by the model, parked, ended. */
const everyBuild: readonly (readonly [string, Build])[] = [
  ...OPEN.map((state) => [`external ${state}`, buildIn(state, startExternal())] as const),
  ...OPEN.filter((state) => !state.startsWith('handoff')).map((state) => [`llm ${state}`, buildIn(state)] as const),
  ...OPEN.filter((state) => !state.startsWith('handoff')).map((state) => [`parked ${state}`, parkedIn(state)] as const),
  ['complete', buildIn('complete')],
  ['cancelled', apply(buildIn('testing'), aborting()).build],
];

/** Messages that the details offer, as a reader copies them. */
const offered = (details: string) =>
  [...details.matchAll(/^- (\w+) \(.*\): `(\{.*\})`$/gm)].map(([, name = '', input = '']) => ({ name, input }));

const bytes = (text: string): number => Buffer.byteLength(text);
/** Markdown without what is shown as code: only there others' words may stand. */
const outsideCode = (markdown: string): string => markdown.replace(/`[^`\n]+`/g, '');

describe('current details', () => {
  it.each(everyBuild)('of a build that is %s offer only what it takes as it stands', (_, build) => {
    const messages = offered(currentDetails(build));
    expect(messages.length > 0).toBe(!isOver(build.position));
    for (const { name, input } of messages) {
      const known = MESSAGE_NAMES.find((one) => one === name);
      if (!known) throw new Error(`no message is named ${name}`);
      const parsed = parseMessage(known, JSON.parse(input));
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
      expect(applyCommand(build, parsed.command, build.updatedAtMs)).toMatchObject({ ok: true });
    }
  });

  it.each(everyBuild)('of a build that is %s say where it is and whether an operator is needed', (_, build) => {
    const details = currentDetails(build);
    expect(details).toContain(`- state: ${stateOf(build.position)};`);
    expect(details).toContain(`- needs an operator: ${build.position.status === 'error' ? 'yes' : 'no'}`);
    expect(details).toMatch(/^- last reason: \S/m);
    expect(details).toMatch(/^- role: \w+ \((llm|external)\)$/m);
    expect(details).toMatch(/^- tokens: \d+$/m);
  });

  it('tell which build it is', () => {
    expect(currentDetails(start())).toContain('- build: `shop: a function that slugifies titles`');
  });

  it('name the attempt, and the model with where it is simulated', () => {
    const details = currentDetails(start({ model: 'gpt-4' }));
    expect(details).toContain('- attempt: 1 of discovery');
    expect(details).toContain('- model: `gpt-4 (simulated)`');
    expect(currentDetails(start({ model: 'gpt-4', simulated: false }))).toContain('- model: `gpt-4`\n');
    expect(currentDetails(startExternal())).not.toContain('- model:');
  });

  it('begin with whom the build waits for', () => {
    expect(currentDetails(start())).toMatch(/^\*\*At work: discovery\*\*/);
    expect(currentDetails(buildIn('handoff_to_coder', startExternal()))).toMatch(
      /^\*\*Waits for code_writer: handoff_to_coder\*\*/,
    );
    expect(currentDetails(parkedIn('planning'))).toMatch(
      /^\*\*Needs an operator: planning failed \(model_failed\)\*\*[\s\S]*- last reason: `quota is used up` \(parked\)/,
    );
    expect(currentDetails(apply(start(), aborting()).build)).toMatch(
      /^\*\*Cancelled in discovery\*\*[\s\S]*- last reason: `not needed any more` \(cancelled\)[\s\S]*Nothing may be sent/,
    );
  });

  it('tell why work went back, and forget it once that is done', () => {
    const { build } = play(buildIn('planning'), retrying('think again'));
    expect(currentDetails(build)).toContain('- last reason: `think again` (retry from planning)');
    expect(currentDetails(buildIn('implementation', build))).toContain('- last reason: none');
  });

  it('offer no advance while the orchestrator runs the tests itself', () => {
    const build = { ...buildIn('testing', startExternal()), gate: { kind: 'running' } as const };
    const results = { implementation: { seq: 1, attempt: 1, by: 'llm', data: {}, full: null } as const };
    const head = { commit: 'a', tree: 'b', runnable: true };
    const measuring = { ...build, head, results: { implementation: { ...results.implementation, commit: head } } };
    expect(offered(currentDetails(measuring)).map(({ name }) => name)).toEqual(['retry', 'rollback', 'abort']);
  });

  it('tell what is done beside the phases, and that nobody may advance meanwhile', () => {
    const source = { kind: 'git', url: 'https://git.test/slug.git', ref: null } as const;
    const opening = startExternal({ source });
    expect(currentDetails(opening)).toMatch(/^\*\*Waits for q_assistant: discovery; the source is being fetched\*\*/);
    expect(offered(currentDetails(opening)).map(({ name }) => name)).not.toContain('advance');
    const coding = buildIn('implementation', startExternal());
    const handedOn = apply(coding, advancing('code_writer', 'implementation', RESULTS.implementation)).build;
    expect(currentDetails(handedOn)).toContain('; the files of implementation are being committed**');
    const back = apply(buildIn('deployment'), rollingBack('planning')).build;
    expect(currentDetails(back)).toContain('; the release of deployment attempt 1 is being taken back**');
    const stuck = apply(back, { type: 'undo_failed', reason: 'away' }).build;
    expect(currentDetails(stuck)).toContain('; the release of deployment attempt 1 still stands**');
  });

  it('stay under 2 kB and show what others wrote as code, whatever they wrote', () => {
    const text = fc.oneof(
      fc.string({ minLength: 1, maxLength: 4000, unit: 'grapheme' }),
      fc.constant(HOSTILE.repeat(30)),
      fc.constant('😀'.repeat(2000)),
      fc.constant('`'.repeat(4000)),
    );
    fc.assert(
      fc.property(text, text, (reason, model) => {
        const asked = { projectId: model, requirements: { kind: 'inline', value: reason } } as const;
        const begun = start({ model, ...asked });
        const parked = apply(buildIn('deployment', begun), { ...failing, reason } as typeof failing).build;
        const back = play(parked, rollingBack('deployment', { reason })).build;
        const ended = apply(back, aborting({ reason })).build;
        const plain = play(parkedIn('deployment', start()), rollingBack('deployment', { reason: 'r' })).build;
        for (const build of [parked, back, ended]) {
          const details = currentDetails(build);
          expect(bytes(details)).toBeLessThan(2000);
          expect(outsideCode(details)).not.toMatch(/[<`![\]]|https?:/);
        }
        expect(outsideCode(currentDetails(back))).toBe(outsideCode(currentDetails(plain)));
      }),
      { numRuns: 60 },
    );
  });
});

describe('a text of others', () => {
  it('is shown in one line, as it was written but for backticks', () => {
    expect(quoted('a <b> \n`c`\u202e d', 100)).toBe("`a <b> 'c' d`");
    expect(quoted(' \n ', 100)).toBe('(empty)');
  });

  it('is cut at a character', () => {
    expect(quoted('äöü', 6)).toBe('`äöü`');
    expect(quoted('äöüß', 6)).toBe('`ä…`');
    expect(quoted('😀😀', 7)).toBe('`😀…`');
  });
});

describe('the timeline', () => {
  it('tells the phase, the attempt and the model of an activity', () => {
    const build = play(buildIn('implementation', start({ model: 'gpt-4' })), rollingBack('implementation')).build;
    expect(phaseSummary(build, 'implementation')).toBe('implementation, attempt 2, gpt-4 (simulated)');
  });

  it('has room for the longest name of a model', () => {
    const build = start({ model: '😀'.repeat(200) });
    expect(bytes(phaseSummary(build, 'discovery'))).toBeLessThan(400);
  });

  it('tells with the rows that are written before a wait for whom the build waits', () => {
    expect(flushSummary(parkedIn('planning'))).toBe('to the mirror: Needs an operator: planning failed (model_failed)');
    expect(flushSummary(startExternal())).toBe('to the mirror: Waits for q_assistant: discovery');
  });

  it.each(everyBuild)('has room for what it tells of a build that is %s', (_, build) => {
    expect(bytes(flushSummary(build))).toBeLessThan(400);
  });
});

describe('what the forms show', () => {
  it.each(Object.entries({ ...MESSAGE_DESCRIPTIONS, ...QUERY_DESCRIPTIONS }))('%s has an example', (_, text) => {
    const example = /Example: (\{.*\})$/.exec(text)?.[1];
    expect(() => JSON.parse(example ?? '')).not.toThrow();
  });
});
