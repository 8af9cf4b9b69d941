import { describe, expect, it } from 'vitest';
import { promptReply } from '../../../src/api/ai-workflows/replies.ts';
import { readApiKeys } from '../../../src/api-keys.ts';
import { AppError } from '../../../src/errors.ts';
import { PHASES, type Phase } from '../../../src/machine/states.ts';
import { settled } from '../../machine/sample-builds.ts';
import { complete, RESULTS, type Served, serve } from '../serve.ts';

const UNKNOWN = '00000000-0000-5000-8000-000000000000';
const ask = (api: Served, id: string, headers = {}) =>
  api.post(`/api/ai-workflows/get-ai-prompt/${id}`, undefined, headers);

async function promptOf(api: Served, id: string) {
  const { status, body, text } = await ask(api, id);
  if (status !== 200) throw new Error(text);
  const prompt = promptReply.parse(body);
  return {
    ...prompt,
    system: prompt.messages[0]?.content ?? '',
    conversation: prompt.messages.slice(1, -1),
    last: prompt.messages.at(-1)?.content ?? '',
  };
}

async function begun(done: readonly Phase[]): Promise<{ api: Served; id: string }> {
  const api = await serve();
  const id = await api.startExternal();
  await complete(api, id, done);
  return { api, id };
}

describe('get-ai-prompt', () => {
  it('gives the model, how it is asked, and the messages of the phase', async () => {
    const { api, id } = await begun(PHASES.slice(0, 1));
    const prompt = await promptOf(api, id);
    expect(prompt).toMatchObject({ model: 'gpt-4', temperature: 0.2, max_tokens: 4096, top_p: 1 });
    expect(prompt.messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user']);
    expect(prompt.system).toMatch(/^You are the q_assistant .* planning phase/);
    expect(prompt.last).toContain('# Phase: planning\n# Attempt: 1\n# Build: build-1\n');
    expect(prompt.last).toContain('"a slugifier"');
    expect(prompt.last).toMatch(/## Earlier results\n### discovery\n```json\n[^`]*"slugs"/);
  });

  it('names in the system prompt two calls that hand the answer on, and each of them does as it stands', async () => {
    for (const nth of [0, 1]) {
      const { api, id } = await begun([]);
      for (const phase of PHASES) {
        const { system } = await promptOf(api, id);
        const calls = [...system.matchAll(/^POST (\S+)\n[^{]*(\{[^`]*\})\n```$/gm)];
        expect(calls.map(([, path]) => path)).toEqual([
          `/api/workflows/${id}/advance`,
          '/api/ai-workflows/complete-phase',
        ]);
        const [, path = '', written = ''] = calls[nth] ?? [];
        const body = written.replace(/\{ … .* … \}/, JSON.stringify(RESULTS[phase]));
        expect(await api.post(path, body)).toMatchObject({ status: 200 });
      }
      expect(api.heldBuild(id).build.position.status).toBe('complete');
    }
  });

  it('changes nothing, so that a key that may only read may ask', async () => {
    const api = await serve(readApiKeys('ann:secret-ann,eve(read-only):secret-eve'));
    const as = (secret: string) => ({ authorization: `Bearer ${secret}` });
    const start = { project_id: 'shop', user_id: 'ann', requirements: 'x', model: 'gpt-4o-mini' };
    const { body } = await api.post('/api/ai-workflows/initialize', start, as('secret-ann'));
    const id = String(body.workflow_id);
    const { build } = api.heldBuild(id);
    const reply = await ask(api, id, as('secret-eve'));
    expect(reply).toMatchObject({ status: 200, body: { model: 'gpt-4o-mini' } });
    expect(reply.headers.get('idempotency-key')).toBeNull();
    expect(api.heldBuild(id).build).toBe(build);
  });

  it("gives in a handoff state the receiver's prompt, with the attempt that is about to begin", async () => {
    const { api, id } = await begun(PHASES.slice(0, 3));
    const { system, last } = await promptOf(api, id);
    expect(system).toContain('You are the test_auditor');
    expect(last).toContain('# Phase: testing\n# Attempt: 1\n');
  });

  it("gives in error the failed phase's prompt", async () => {
    const { api, id } = await begun(PHASES.slice(0, 5));
    const failed = { role: 'release_manager', completed_state: 'deployment' };
    await api.post(`/api/workflows/${id}/advance`, { ...failed, phase_result: { deployment_successful: false } });
    expect((await promptOf(api, id)).system).toContain('You are the release_manager');
  });

  it('shows what was said and handed on before, whether small or in the store', async () => {
    const { api, id } = await begun([]);
    const said = 'w'.repeat(3000);
    const large = { ...RESULTS.discovery, notes: 'n'.repeat(5000) };
    const body = { workflow_id: id, ai_response: said, phase_result: large };
    await api.post('/api/ai-workflows/complete-phase', body);
    const { conversation, last } = await promptOf(api, id);
    expect(conversation).toEqual([
      { role: 'user', content: 'The build so far: discovery, attempt 1, words of q_assistant' },
      { role: 'assistant', content: JSON.stringify(said) },
      { role: 'user', content: 'The build so far: discovery, attempt 1, answer of q_assistant' },
      { role: 'assistant', content: '{"note":"shown in the last message under \\"Earlier results\\""}' },
    ]);
    expect(last).toContain(large.notes);
  });

  it('shows the files as the roles handed them on, to whoever comes after them', async () => {
    const { api, id } = await begun(PHASES.slice(0, 2));
    const files = (content: string) => [{ path: 'src/slug.js', content }];
    const code = (content: string) => ({
      role: 'code_writer',
      completed_state: 'implementation',
      phase_result: { files: files(content) },
    });
    await api.post(`/api/workflows/${id}/advance`, code('first'));
    // As a worker does: the next advance waits until these files are committed.
    const held = api.builds.builds.get(id);
    if (held) held.build = settled(held.build);
    await api.post(`/api/workflows/${id}/request-retry`, { reason: 'accents stay' });
    expect((await promptOf(api, id)).last).toContain('## Files\n### src/slug.js\n```\nfirst\n```');
    await api.post(`/api/workflows/${id}/advance`, code('second'));
    expect((await promptOf(api, id)).last).toContain('## Files\n### src/slug.js\n```\nsecond\n```');
  });

  it('shows the reason after a retry and after a rollback, and only what the rollback left', async () => {
    const { api, id } = await begun(PHASES.slice(0, 4));
    await api.post(`/api/workflows/${id}/request-retry`, { reason: 'the tests prove nothing' });
    const retried = await promptOf(api, id);
    expect(retried.last).toContain('- retry from handoff_to_verifier, attempt 1: the tests prove nothing');
    await api.post(`/api/workflows/${id}/rollback`, { target_state: 'planning', reason: 'wrong approach' });
    const { last, conversation } = await promptOf(api, id);
    expect(last).toContain('- rollback from planning, attempt 1: wrong approach');
    expect(last).not.toContain('the tests prove nothing');
    expect(conversation).toHaveLength(2);
  });

  it('shows the measured run by which an external tester judges', async () => {
    const { api, id } = await begun(PHASES.slice(0, 3));
    const held = api.heldBuild(id);
    const measurement = { passed: false, coverage: 81, summary: '1 of 9 failed', full: null };
    held.build = { ...held.build, gate: { kind: 'measured', measurement } };
    expect((await promptOf(api, id)).last).toMatch(/## Test run\n```json\n[^`]*"measured": true[^`]*"1 of 9 failed"/);
    const full = await api.artifacts.put(JSON.stringify({ measured: true, runner: 'node' }));
    held.build = { ...held.build, gate: { kind: 'measured', measurement: { ...measurement, full } } };
    expect((await promptOf(api, id)).last).toMatch(/## Test run\n```json\n[^`]*"runner": "node"/);
  });

  it('is 409 once the build is over, also when its execution has not ended yet', async () => {
    const { api, id } = await begun([]);
    await api.post(`/api/workflows/${id}/abort`, { reason: 'enough' });
    const over = { status: 409, body: { code: 'build_over', current_state: 'discovery', allowed: [] } };
    expect(await ask(api, id)).toMatchObject(over);
    api.heldBuild(id).ending = null;
    expect(await ask(api, id)).toMatchObject(over);
  });

  it('is 409 for a build that only the mirror remembers, and 404 for none', async () => {
    const { api, id } = await begun([]);
    await api.post(`/api/workflows/${id}/abort`, { reason: 'enough' });
    api.mirror.flush(api.heldBuild(id));
    api.builds.builds.delete(id);
    expect(await ask(api, id)).toMatchObject({ status: 409, body: { code: 'build_over' } });
    for (const unknown of [UNKNOWN, 'no-id']) expect(await ask(api, unknown)).toMatchObject({ status: 404 });
  });

  it('is 503 when no worker or no Temporal answers', async () => {
    const { api, id } = await begun([]);
    for (const code of ['no_worker', 'temporal_unreachable'] as const) {
      api.builds.silent = new AppError(code, 'away', { retryAfterS: 5 });
      expect(await ask(api, id)).toMatchObject({ status: 503, body: { code } });
    }
  });

  it('hides a build that is not the caller’s', async () => {
    const api = await serve(readApiKeys('ann:secret-ann,bob(project=garden):secret-bob'));
    const start = { project_id: 'shop', user_id: 'ann', requirements: 'x' };
    const { body } = await api.post('/api/ai-workflows/initialize', start, { authorization: 'Bearer secret-ann' });
    const id = String(body.workflow_id);
    const bob = { authorization: 'Bearer secret-bob' };
    const [foreign, unknown] = [await ask(api, id, bob), await ask(api, UNKNOWN, bob)];
    expect([foreign.status, foreign.text.replaceAll(id, UNKNOWN)]).toEqual([404, unknown.text]);
  });
});
