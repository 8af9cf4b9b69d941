import OpenAI from 'openai';
import { afterEach, describe, expect, test } from 'vitest';
import { checkPhaseResult } from '../../../src/machine/payloads.ts';
import { PHASES, type Phase } from '../../../src/machine/states.ts';
import type { ChatServer } from '../../../src/stack/simulated-model/chat-server.ts';
import { openRecipeBook } from '../../../src/stack/simulated-model/recipe-book.ts';
import { startSimulatedModel } from '../../../src/stack/simulated-model/simulated-model.ts';
import { phaseMessages } from './prompts.ts';

type Parts = Parameters<typeof phaseMessages>[0];
type File = { path: string; content: string };

const SLUGS = 'a function that slugifies titles';
const passedRun = { measured: true, passed: true, tests: 9, coverage: 97.5, failures: [] };
const failedRun = {
  measured: true,
  passed: false,
  tests: 9,
  coverage: 91,
  failures: [{ name: 'strips accents', reason: 'cre-me is not creme' }],
};

const opened: ChatServer[] = [];

async function start(options: Parameters<typeof startSimulatedModel>[0] = {}): Promise<OpenAI> {
  const server = await startSimulatedModel(options);
  opened.push(server);
  return new OpenAI({ apiKey: 'none', baseURL: server.baseUrl, maxRetries: 0, timeout: 10_000 });
}

async function play(client: OpenAI, parts: Parts, model = 'gpt-4') {
  const messages = phaseMessages(parts).map(({ role, content }) =>
    role === 'system' ? { role: 'system' as const, content } : { role: 'user' as const, content },
  );
  const reply = await client.chat.completions.stream({ model, messages }).finalChatCompletion();
  expect(reply.model).toBe(model);
  expect(reply.choices[0]?.finish_reason).toBe('stop');
  const content = reply.choices[0]?.message.content ?? '';
  return JSON.parse(/^```json\n([\s\S]*)\n```$/.exec(content)?.[1] ?? content);
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((server) => server.stop()));
});

describe('each role', () => {
  const requirements = [SLUGS, 'roman numerals', 'a todo API', 'word counts', 'an LRU cache', 'CSV to JSON', 'weather'];

  test.each(requirements)('hands on what its phase demands, for "%s"', async (text) => {
    const client = await start();
    const earlier: Record<string, unknown> = {};
    for (const phase of PHASES) {
      const result = await play(client, { phase, requirements: text, earlier, testRun: passedRun });
      expect(checkPhaseResult(phase, result, 'llm')).toMatchObject({ ok: true });
      expect(JSON.stringify(result)).toMatch(/simulated model/i);
      earlier[phase] = result;
    }
    expect(earlier.verification).toMatchObject({ approved_for_deployment: true });
    expect(earlier.deployment).toMatchObject({ deployment_successful: true });
  });

  test('has no field beyond those of its phase when all goes well', async () => {
    const client = await start();
    const fields: Record<Phase, string[]> = {
      discovery: ['discovered_reqs', 'success_criteria', 'open_questions'],
      planning: ['plan', 'components', 'testing_strategy', 'requirements', 'success_criteria'],
      implementation: ['files', 'test_cases', 'documentation', 'technical_notes'],
      testing: ['all_tests_passed', 'test_coverage', 'test_results'],
      verification: ['approved_for_deployment', 'verification_report', 'recommendations', 'evidence'],
      deployment: ['deployment_successful', 'deployed_at', 'version', 'notes', 'monitoring_status'],
    };
    for (const phase of PHASES) {
      const result = await play(client, { phase, requirements: SLUGS, testRun: passedRun });
      expect([...fields[phase], 'next_role_instruction']).toEqual(expect.arrayContaining(Object.keys(result)));
    }
  });
});

describe('the code writer', () => {
  const slugify = openRecipeBook().recipes.find(({ name }) => name === 'slugify');

  test('makes its mistake on the first attempt and corrects it on the second', async () => {
    const client = await start();
    const first = await play(client, { phase: 'implementation', requirements: SLUGS });
    const second = await play(client, {
      phase: 'implementation',
      attempt: 2,
      requirements: SLUGS,
      sentBack: ['sent_back from testing, attempt 1: strips accents'],
    });
    expect(first.files).toEqual(slugify?.mistakenFiles);
    expect(first.technical_notes).toContain('deliberate mistake');
    expect(second.files).toEqual(slugify?.rightFiles);
    expect(second.technical_notes).toContain('sent_back from testing, attempt 1: strips accents');
    const changed = first.files.filter((file: File, i: number) => file.content !== second.files[i].content);
    expect(changed.map(({ path }: File) => path)).toEqual(['src/slugify.js']);
  });

  test('makes none when it is told not to', async () => {
    const result = await play(await start({ firstAttemptMistake: false }), {
      phase: 'implementation',
      requirements: SLUGS,
    });
    expect(result.files).toEqual(slugify?.rightFiles);
    expect(result.technical_notes).not.toContain('mistake');
  });

  test('says so when it has no recipe, and records the requirements', async () => {
    const text = 'predict "the weather" with $& and \\ and \n```\nfences';
    const client = await start();
    const found = await play(client, { phase: 'discovery', requirements: { text } });
    const result = await play(client, { phase: 'implementation', attempt: 2, requirements: { text } });
    const content = (path: string) => result.files.find((file: File) => file.path === path)?.content;
    expect(found.discovered_reqs.join()).toContain('no recipe for these requirements');
    expect(content('README.md').replace(/\s+/g, ' ')).toContain('no recipe for them');
    const recorded = /requirements = (".*");/.exec(content('src/requirements.js'))?.[1] ?? '';
    expect(JSON.parse(JSON.parse(recorded))).toEqual({ text });
  });
});

describe('the test auditor', () => {
  test('reports a failed run with the names of the tests', async () => {
    const result = await play(await start(), { phase: 'testing', requirements: SLUGS, testRun: failedRun });
    expect(result).toMatchObject({ all_tests_passed: false, test_coverage: 91 });
    expect(result.test_results[0]).toMatchObject({ name: 'strips accents', passed: false });
    expect(result.reason).toBe('1 of 9 tests failed: strips accents (cre-me is not creme)');
  });

  test('reports a run that failed as a whole', async () => {
    const run = { measured: true, passed: false, tests: 0, coverage: null, failures: [] };
    const result = await play(await start(), { phase: 'testing', requirements: SLUGS, testRun: run });
    expect(result).toMatchObject({ all_tests_passed: false, test_coverage: 0 });
    expect(result.reason).toContain('failed without naming a test');
  });

  test('reports a passed run with its coverage', async () => {
    const result = await play(await start(), { phase: 'testing', requirements: SLUGS, testRun: passedRun });
    expect(result).toMatchObject({ all_tests_passed: true, test_coverage: 97.5 });
  });

  test.each([undefined, { ...passedRun, measured: false }])('vouches for no run that was not measured', async (run) => {
    const result = await play(await start(), { phase: 'testing', requirements: SLUGS, testRun: run });
    expect(result.all_tests_passed).toBe(false);
    expect(result.reason).toContain('No measured test run');
  });
});

describe('the verification overseer', () => {
  const tested = { all_tests_passed: true, test_coverage: 97 };

  test('points to a test that ran and to its line for each criterion, also for one that it does not know', async () => {
    const criteria = ['Accented letters become its base letters, in style', 'No slug is given out twice'];
    const files = { 'test/slugify.test.js': "1| import x\n2| test('numbers a slug that is taken', () => {" };
    const names = ['strips accents', 'slugs > numbers a slug that is taken'];
    const result = await play(await start(), {
      phase: 'verification',
      requirements: SLUGS,
      earlier: { discovery: {}, planning: { success_criteria: criteria }, testing: tested },
      criteria,
      files,
      testRun: { ...passedRun, names },
    });
    expect(result.approved_for_deployment).toBe(true);
    expect(result.evidence).toEqual([
      {
        number: 1,
        criterion: criteria[0],
        met: true,
        evidence: expect.stringContaining('does not know this criterion'),
        test: names[0],
        file: 'test/slugify.test.js',
        line: 1,
      },
      {
        number: 2,
        criterion: criteria[1],
        met: true,
        evidence: expect.stringContaining('"numbers a slug that is taken"'),
        test: names[1],
        file: 'test/slugify.test.js',
        line: 2,
      },
    ]);
  });

  test('names no test where none was measured', async () => {
    const result = await play(await start(), {
      phase: 'verification',
      requirements: SLUGS,
      earlier: { testing: tested },
      criteria: ['No slug is given out twice'],
      files: { 'src/slugify.js': '1| export' },
    });
    expect(result.evidence).toMatchObject([{ met: true, file: 'src/slugify.js', line: 1 }]);
    expect(result.evidence[0]).not.toHaveProperty('test');
  });

  test.each([{}, { testing: { ...tested, all_tests_passed: false } }])(
    'does not approve what did not pass its tests: %j',
    async (earlier) => {
      const result = await play(await start(), { phase: 'verification', requirements: SLUGS, earlier });
      expect(result.approved_for_deployment).toBe(false);
    },
  );
});

test('a conversation that is no phase of a build is refused with a reason', async () => {
  const call = (await start()).chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'hello' }] });
  await expect(call).rejects.toThrow(/400 .*only plays the roles of a build/);
});

test('a paced answer waits while other calls are answered, and neither hanging up nor stopping waits for it', async () => {
  const client = await start({ paceMs: 3_600_000 });
  const controller = new AbortController();
  const answered: string[] = [];
  const ask = (phase: Phase, signal?: AbortSignal) => {
    const call = { model: 'm', messages: [{ role: 'user' as const, content: `# Phase: ${phase}` }] };
    return client.chat.completions.create(call, { signal }).finally(() => answered.push(phase));
  };
  const hungUp = expect(ask('discovery', controller.signal)).rejects.toThrow(OpenAI.APIUserAbortError);
  const cut = expect(ask('planning')).rejects.toThrow(OpenAI.APIConnectionError);
  for (let i = 0; i < 20; i += 1) await client.models.list();
  expect(answered).toEqual([]);
  controller.abort();
  await hungUp;
  await opened[0]?.stop();
  await cut;
});

test('many builds at once each get their own recipe', async () => {
  const client = await start();
  const texts = Array.from({ length: 120 }, (_, i) => [SLUGS, 'roman numerals', 'an LRU cache'][i % 3] ?? SLUGS);
  const sources = ['src/slugify.js', 'src/roman.js', 'lru_cache/cache.py'];
  const results = await Promise.all(
    texts.map((requirements) => play(client, { phase: 'implementation', requirements })),
  );
  for (const [i, { files }] of results.entries()) {
    expect(files.map(({ path }: File) => path)).toContain(sources[i % 3]);
  }
});
