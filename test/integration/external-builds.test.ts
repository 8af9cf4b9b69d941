import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { PHASES, STATE_TABLE } from '../../src/machine/states.ts';
import { ANSWERS } from '../fakes/model.ts';
import { startTestApi } from './fixtures/api.ts';
import { CLAIMS, until } from './fixtures/builds.ts';
import { completePhase, eventsOf, initialized, promptOf } from './fixtures/outside-agent.ts';
import { startTestProduct, type TestProduct } from './fixtures/product.ts';

let product: TestProduct;
let model: TestProduct['model'];
let api: TestProduct['api'];

beforeAll(async () => {
  product = await startTestProduct();
  ({ model, api } = product);
});
afterAll(() => product?.stop());

const at = (workflowId: string, call: string): string => `/api/workflows/${workflowId}/${call}`;
const counted = (events: readonly { event_type: string }[], type: string): number =>
  events.filter(({ event_type }) => event_type === type).length;

describe('a build driven from outside', () => {
  it('is initialized, and complete after six times get-ai-prompt and complete-phase', async () => {
    const start = { project_id: 'shop', user_id: 'ann', requirements: { goal: 'double a number' } };
    const started = await api.post('/api/ai-workflows/initialize', start);
    expect(started).toMatchObject({ status: 200, body: { initial_state: 'discovery' } });
    const id = String(started.body.workflow_id);
    const before = model.calls.length;
    for (const [done, phase] of PHASES.entries()) {
      const { system, conversation, last, body } = await promptOf(api, id);
      if (phase === 'discovery') expect(system).toBe(started.body.system_prompt);
      expect(body).toMatchObject({ model: 'gpt-4', temperature: 0.2, max_tokens: 4096, top_p: 1 });
      expect(system).toMatch(new RegExp(`^You are the ${STATE_TABLE[phase].owner} .* its ${phase} phase`));
      expect(last).toContain(`# Phase: ${phase}\n# Attempt: 1\n`);
      expect(last).toContain('"goal": "double a number"');
      // Everything that came before: the results in the last message, the words in the conversation.
      const earlier = PHASES.slice(0, done);
      expect([...last.matchAll(/^### (\w+)$/gm)].map(([, name]) => name)).toEqual(earlier);
      const words = conversation.filter(({ role }) => role === 'assistant').map(({ content }) => content);
      expect(words.filter((text) => text.startsWith('"'))).toEqual(earlier.map((name) => `"the words of ${name}"`));
      const reply = await completePhase(api, id, phase);
      expect([reply.status, reply.body.is_complete]).toEqual([200, phase === 'deployment']);
      const status = await api.get(`/api/ai-workflows/status/${id}`);
      const percentage = Math.round((100 * (done + 1)) / PHASES.length);
      expect(status.body).toMatchObject({ current_state: reply.body.new_state, progress: percentage });
    }
    expect(model.calls.length).toBe(before);
    const { status, body } = await api.get(`/api/ai-workflows/status/${id}`);
    expect([status, body]).toMatchObject([200, { is_complete: true, completed_phases: PHASES, next_role: null }]);
    expect(await api.post(`/api/ai-workflows/get-ai-prompt/${id}`, undefined)).toMatchObject({
      status: 409,
      body: { code: 'build_over', current_state: 'complete' },
    });
  });

  it('is complete after ten calls of advance, through all ten transitions', async () => {
    const id = await initialized(api);
    const transitions: string[] = [];
    for (let state = 'discovery'; state !== 'complete'; ) {
      const { role, phase_result } = CLAIMS[state] ?? { role: undefined, phase_result: undefined };
      const { next_role } = (await api.get(at(id, 'status'))).body;
      const advance = { role: role ?? next_role, completed_state: state, phase_result };
      const { status, body } = await api.post(at(id, 'advance'), advance);
      expect([status, body.detail]).toEqual([200, undefined]);
      transitions.push(`${body.previous_state} → ${body.new_state}`);
      state = String(body.new_state);
    }
    expect(transitions).toEqual([
      'discovery → planning',
      'planning → handoff_to_coder',
      'handoff_to_coder → implementation',
      'implementation → handoff_to_tester',
      'handoff_to_tester → testing',
      'testing → handoff_to_verifier',
      'handoff_to_verifier → verification',
      'verification → handoff_to_releaser',
      'handoff_to_releaser → deployment',
      'deployment → complete',
    ]);
    expect(counted(await eventsOf(api, id), 'handoff_acknowledged')).toBe(4);
  });

  it('has the same prompt after worker and API were started anew, and goes on', async () => {
    const id = await initialized(api);
    const ai_response = { steps: ['l'.repeat(20_000)] };
    await completePhase(api, id, 'discovery', { ai_response });
    await completePhase(api, id, 'planning');
    const before = await promptOf(api, id);
    expect(before.conversation[1]?.content).toContain('{"steps":["lll');
    await product.stopWorker();
    await product.startWorker();
    const anew = await startTestApi(product.test);
    onTestFinished(() => anew.close());
    const after = await until('a worker', () => promptOf(anew, id).catch(() => null));
    expect(after.body).toEqual(before.body);
    expect(after.conversation).toHaveLength(8);
    for (const phase of PHASES.slice(2)) expect((await completePhase(anew, id, phase)).status).toBe(200);
    expect((await anew.get(`/api/ai-workflows/status/${id}`)).body).toMatchObject({ is_complete: true });
  });
});

describe('a build that people and models share', () => {
  it('waits for the external tester, shows it files and measured tests, and the models do the rest', async () => {
    const id = await api.start({ external_roles: ['test_auditor'] });
    await api.untilState(id, 'handoff_to_tester');
    const { system, last } = await until('the measured run', async () => {
      const prompt = await promptOf(api, id);
      return prompt.last.includes('## Test run') ? prompt : null;
    });
    expect(system).toContain('You are the test_auditor');
    expect(last).toMatch(/## Files\n[\s\S]*### src\/double\.js\n```\nexport const double/);
    expect(last).toMatch(/## Test run\n```json\n[^`]*"passed": true/);
    const completed = await completePhase(api, id, 'testing', { ai_response: 'I looked at every test.' });
    expect(completed).toMatchObject({ status: 200, body: { new_state: 'handoff_to_verifier' } });
    expect(completed.body.next_action).toContain('the model drives verification as verification_overseer');
    await api.untilState(id, 'complete');
    const verification = model.calls.findLast(({ phase }) => phase === 'verification');
    expect(verification?.prompt).toContain('### testing');
    const by = (await eventsOf(api, id))
      .filter(({ event_type }) => event_type === 'phase_started')
      .map(({ event_data }) => event_data.driver);
    expect(by).toEqual(['llm', 'llm', 'llm', 'external', 'llm', 'llm']);
  });

  it('tells the model that comes after what the outside agent said', async () => {
    const build_id = `told-${Math.random()}`;
    const id = await api.start({ external_roles: ['q_assistant'], build_id });
    for (const phase of ['discovery', 'planning']) await completePhase(api, id, phase);
    await api.untilState(id, 'complete');
    const seen = model.calls.find(({ phase, build }) => phase === 'implementation' && build === build_id);
    expect(seen?.messages).toContain('"the words of planning"');
  });

  it.each(['advance', 'complete-phase'])(
    'is taken over with %s while the model works, whose late answer changes nothing',
    async (call) => {
      const build_id = `taken-${call}-${Math.random()}`;
      const release = model.hold('planning', build_id);
      const id = await api.start({ build_id });
      await until('the call', async () =>
        model.calls.some(({ phase, build }) => phase === 'planning' && build === build_id),
      );
      expect((await promptOf(api, id)).last).toContain('# Phase: planning');
      const phase_result = { plan: 'the plan of a person' };
      const reply =
        call === 'advance'
          ? await api.post(at(id, 'advance'), { role: 'q_assistant', completed_state: 'planning', phase_result })
          : await completePhase(api, id, 'planning', { phase_result });
      release();
      expect(reply).toMatchObject({ status: 200, body: { previous_state: 'planning', new_state: 'handoff_to_coder' } });
      await api.untilState(id, 'complete');
      const events = await eventsOf(api, id);
      expect(counted(events, 'preempted')).toBe(1);
      expect(counted(events, 'late_result')).toBeLessThanOrEqual(1);
      expect(events.filter(({ event_data }) => event_data.phase === 'planning' && event_data.to)).toHaveLength(1);
      const { handoffs } = (await api.get(at(id, 'history'))).body as { handoffs: Record<string, unknown>[] };
      expect(handoffs.find(({ from_state }) => from_state === 'planning')?.data_transferred).toEqual(phase_result);
      const seen = model.calls.filter(({ phase, build }) => phase === 'implementation' && build === build_id);
      expect(seen[0]?.prompt).toContain('the plan of a person');
      expect(seen[0]?.prompt).not.toContain(String(ANSWERS.planning.plan));
    },
  );
});
