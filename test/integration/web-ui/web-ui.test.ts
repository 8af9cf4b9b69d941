import { describe, expect, it } from 'vitest';
import { ROLES } from '../../../src/machine/states.ts';
import { ANSWERS } from '../../fakes/model.ts';
import { until } from '../fixtures/builds.ts';
import type { TestProduct } from '../fixtures/product.ts';
import {
  choices,
  chooseAction,
  goToTab,
  listed,
  openBuild,
  press,
  read,
  readMetadata,
  type WebUi,
} from '../fixtures/web-ui.ts';
import { describeInWebUi, type Place } from '../fixtures/web-ui-tests.ts';
import { testsOfDriven } from './driven.ts';
import { testsOfRunbook, testsOfSteps } from './runbook.ts';

const NEED_AN_OPERATOR = "BuildNeedsOperator = true AND ExecutionStatus = 'Running'";
const HOSTILE = [
  '<img src="https://evil.example/a.png" onerror="alert(1)">',
  '<script>alert(2)</script>',
  '[press](javascript:alert(3)) ![seen](https://evil.example/b.png) https://evil.example/c',
  '**bold** `code` <iframe src="https://evil.example"></iframe>',
].join('\n');
const HUGE = '😀 <b>huge</b> '.repeat(2000);

/** Builds are parked by a model that talks nonsense in planning. */
async function park(product: TestProduct, more: Record<string, unknown> = {}): Promise<string> {
  product.model.answer('planning', `I would rather talk about the weather. ${HOSTILE}`);
  const workflowId = await product.api.start(more);
  await product.api.untilState(workflowId, 'error');
  product.model.answer('planning', ANSWERS.planning);
  return workflowId;
}

const external = (product: TestProduct, more: Record<string, unknown> = {}): Promise<string> =>
  product.api.start({ external_roles: ROLES, ...more });

/** Links, pictures and whatever else is more than text, in all the Markdown of a page. */
async function elementsOf(ui: WebUi, tags: string): Promise<string[]> {
  const found = ['summary', 'details', 'current-details'].map((part) =>
    ui.page
      .frameLocator(`#user-metadata-${part}`)
      .locator(`main :is(${tags})`)
      .evaluateAll((all) => all.map((one) => one.getAttribute('href') ?? one.outerHTML)),
  );
  return (await Promise.all(found)).flat();
}

function testsOfShown(place: Place): void {
  it('shows of a build at work its summary, state, attempt, role, model and tokens', async () => {
    const { product, ui } = place;
    const release = product.model.hold('planning', 'at-work');
    const workflowId = await product.api.start({ build_id: 'at-work', model: 'gpt-4' });
    const shown = await readMetadata(ui, workflowId, 'At work: planning');
    expect(shown.summary).toContain('shop: a function that doubles a number');
    expect(shown.details).toContain('Model: gpt-4 (simulated)');
    for (const fact of [
      'needs an operator: no',
      'last reason: none',
      'state: planning; 1 of 6 phases done (17 %)',
      'attempt: 1 of planning',
      'role: q_assistant (llm)',
      'model: gpt-4 (simulated)',
    ]) {
      expect(shown.current).toContain(fact);
    }
    expect(shown.current).toMatch(/tokens: [1-9]\d*/);
    await goToTab(ui, 'Timeline');
    await read(ui, 'planning, attempt 1, gpt-4 (simulated)');
    release();
    await product.api.untilState(workflowId, 'complete');
    const done = await readMetadata(ui, workflowId, 'Complete');
    expect(done.current).toContain('state: complete; 6 of 6 phases done (100 %)');
    expect(done.current).toContain('Nothing may be sent: the build is over.');
  });

  it('shows with an activity the second attempt of its phase, and why there is one', async () => {
    const { product, ui } = place;
    const release = product.model.hold('testing', 'sent-back');
    const workflowId = await product.api.start({ build_id: 'sent-back', model: 'gpt-4' });
    await product.api.untilState(workflowId, 'testing');
    const again = product.model.hold('implementation', 'sent-back');
    const retry = { reason: 'it halves numbers' };
    await product.api.post(`/api/workflows/${workflowId}/request-retry`, retry);
    release();
    const { current } = await readMetadata(ui, workflowId, 'At work: implementation');
    expect(current).toContain('attempt: 2 of implementation');
    expect(current).toContain('last reason: it halves numbers (retry from testing)');
    await goToTab(ui, 'Timeline');
    await read(ui, 'implementation, attempt 2, gpt-4 (simulated)');
    again();
    await product.api.untilState(workflowId, 'complete');
  });

  it('shows of a build that waits for people what completes the phase, and leads to the build itself', async () => {
    const { product, ui } = place;
    const workflowId = await external(product);
    await product.api.claim(workflowId, 'discovery');
    const { current } = await readMetadata(ui, workflowId, 'Waits for q_assistant: planning');
    expect(current).toContain('role: q_assistant (external)');
    expect(current).toContain('advance (completes planning): {"role":"q_assistant","completed_state":"planning"');
    await goToTab(ui, 'Timeline');
    await read(ui, 'to the mirror: Waits for q_assistant: planning');
    await goToTab(ui, 'Search Attributes');
    for (const fact of ['"BuildState": "planning"', '"BuildProject": "shop"', '"BuildNeedsOperator": false']) {
      await read(ui, fact);
    }
    await goToTab(ui, 'User Metadata');
    const link = ui.page.frameLocator('#user-metadata-details').getByRole('link', { name: 'status' });
    const [opened] = await Promise.all([ui.page.waitForEvent('popup'), link.click()]);
    expect(opened.url()).toBe(`${product.api.url}/api/workflows/${workflowId}/status`);
    const shown = JSON.parse(await opened.locator('pre').innerText());
    expect(shown).toMatchObject({ workflow_id: workflowId, current_state: 'planning' });
    await opened.close();
  });

  it('shows of a parked build that an operator is needed, why, and what to send', async () => {
    const { product, ui } = place;
    const workflowId = await park(product);
    const { current } = await readMetadata(ui, workflowId, 'Needs an operator: planning failed (bad_answer)');
    expect(current).toContain('needs an operator: yes');
    expect(current).toMatch(/last reason: simulated model .*no JSON object.* \(parked\)/);
    expect(current).toContain('retry (goes to planning): {"reason":"say why","actor":"your name"}');
    await goToTab(ui, 'Timeline');
    await read(ui, 'to the mirror: Needs an operator: planning failed (bad_answer)');
    await product.api.post(`/api/workflows/${workflowId}/abort`, { reason: 'given up' });
    const over = await readMetadata(ui, workflowId, 'Cancelled in error');
    expect(over.current).toContain('last reason: given up (cancelled)');
    expect(over.current).toContain('needs an operator: no');
  });

  it('lists builds that need an operator, and no longer those that were mended or ended', async () => {
    const { product, ui } = place;
    const release = product.model.hold('implementation', 'mended');
    const [first, second, other] = [
      await park(product, { build_id: 'mended' }),
      await park(product),
      await external(product),
    ];
    await until('both in the list', async () => {
      const found = await listed(ui, NEED_AN_OPERATOR);
      expect(found).not.toContain(other);
      return found.includes(first) && found.includes(second);
    });
    await product.api.post(`/api/workflows/${first}/request-retry`, { reason: 'mended' });
    await product.test.client.workflow.getHandle(second).terminate('given up');
    await until('neither in the list', async () => {
      const found = await listed(ui, NEED_AN_OPERATOR);
      return !found.includes(first) && !found.includes(second);
    });
    expect((await product.api.get(`/api/workflows/${first}/status`)).body).toMatchObject({ status: 'in_progress' });
    release();
    await product.api.untilState(first, 'complete');
    const completed = `BuildProject = 'shop' AND BuildState = 'complete'`;
    await until('it in the list', async () => (await listed(ui, completed)).includes(first));
  });

  it('offers every signal, update and query with what it does and an example', async () => {
    const { product, ui } = place;
    const workflowId = await external(product);
    for (const action of ['Send a Signal', 'Send an Update']) {
      await openBuild(ui, workflowId);
      await press(ui, 'More Actions');
      await chooseAction(ui, action);
      expect((await choices(ui)).filter((choice) => !choice.startsWith('Custom'))).toEqual(
        ['retry', 'rollback', 'advance', 'abort'].map((name) => expect.stringMatching(`^${name} .*Example: \\{.*\\}$`)),
      );
    }
    await openBuild(ui, workflowId);
    await goToTab(ui, 'Queries');
    expect((await choices(ui)).filter((choice) => !choice.startsWith('__'))).toEqual(
      ['history', 'prompt', 'status'].map((name) => expect.stringMatching(`^${name} .*Example: \\{\\}$`)),
    );
  });

  it.each([
    ['hostile', HOSTILE],
    ['huge', HUGE],
  ])('shows %s texts of others as text, and nothing of them is loaded, linked or run', async (_, text) => {
    const { product, ui } = place;
    const project = `<b>[shop](https://evil.example)`;
    const body = { build_id: `<i>${text.slice(0, 60).replace(/\s/g, ' ')}`, user_id: '<u>ann', requirements: text };
    const { body: started } = await product.api.post(`/api/workflows/${encodeURIComponent(project)}/start`, {
      ...body,
      external_roles: ROLES,
    });
    const workflowId = String(started.workflow_id);
    await product.api.claim(workflowId, 'discovery');
    await product.api.post(`/api/workflows/${workflowId}/request-retry`, { reason: text.slice(0, 4000) });
    const shown = await readMetadata(ui, workflowId, '(retry from planning)');
    const words = text.split('\n')[0]?.slice(0, 50) ?? '';
    expect(shown.summary).toContain(project);
    expect(shown.summary).toContain(words);
    expect(shown.details).toContain(words);
    expect(shown.current).toContain(words);
    const links = ['status', 'history'].map((page) => `${product.api.url}/api/workflows/${workflowId}/${page}`);
    expect(await elementsOf(ui, 'a, img, script, iframe, b, i, u')).toEqual(links);
    await product.api.post(`/api/workflows/${workflowId}/abort`, { reason: text.slice(0, 4000) });
    await readMetadata(ui, workflowId, 'Cancelled in discovery');
    expect(await elementsOf(ui, 'a, img, script, iframe, b, i, u')).toEqual(links);
  });
}

// All before one product, in one page: starting these and loading the UI takes as much as ten looks at a build.
describeInWebUi('in the Web UI', (place) => {
  describe("a build's page", () => testsOfShown(place));
  describe('an operator', () => testsOfDriven(place));
  describe('the runbook of docs/operations.md', () => testsOfRunbook(place));
});

describe('the Web UI steps of docs/operations.md', testsOfSteps);
