import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeInBrowser, openBrowser } from '../fixtures/browser.ts';
import { until } from '../fixtures/builds.ts';
import { startTestProduct, type TestProduct } from '../fixtures/product.ts';
import { readRunbook, stepsIn } from '../fixtures/runbook.ts';
import {
  choose,
  chooseAction,
  goToTab,
  isFormOpen,
  open,
  openWebUi,
  press,
  read,
  submit,
  tick,
  type WebUi,
  write,
  writeInto,
} from '../fixtures/web-ui.ts';
import { type Arranged, TASKS } from './tasks.ts';

type Act = (ui: WebUi, first: string, second: string) => Promise<unknown>;

async function pressAny(ui: WebUi, name: string): Promise<void> {
  if (await isFormOpen(ui)) expect(await submit(ui, name)).toBeNull();
  else await press(ui, name);
}

async function pressAndChoose(ui: WebUi, button: string, action: string): Promise<void> {
  await press(ui, button);
  await chooseAction(ui, action);
}

async function tickBoth(ui: WebUi, first: string, second: string): Promise<void> {
  await tick(ui, first);
  await tick(ui, second);
}

/** Every sentence that a step of the runbook may be, with what a person does who reads it. */
const SENTENCES: readonly (readonly [RegExp, Act])[] = [
  [/^Open `([^`]+)`\.$/, open],
  [/^Go to the tab \*\*([^*]+)\*\*\.$/, goToTab],
  [/^Press \*\*([^*]+)\*\* and choose \*\*([^*]+)\*\*\.$/, pressAndChoose],
  [/^Press \*\*([^*]+)\*\*\.$/, pressAny],
  [/^Choose `([^`]+)`\.$/, choose],
  [/^Write `([^`]+)` into \*\*([^*]+)\*\*\.$/, (ui, text, field) => writeInto(ui, field, text)],
  [/^Write `([^`]+)`\.$/, write],
  [/^Tick \*\*([^*]+)\*\* and \*\*([^*]+)\*\*\.$/, tickBoth],
  [/^Read `([^`]+)`\.$/, read],
];

type Step = Readonly<{ act: Act; first: string; second: string }>;

/** @throws Error when the step is none of the known sentences */
function stepOf(text: string): Step {
  for (const [sentence, act] of SENTENCES) {
    const [, first = '', second = ''] = sentence.exec(text) ?? [];
    if (first !== '') return { act, first, second };
  }
  throw new Error(`docs/operations.md: nobody knows how to do "${text}" in the Web UI`);
}

const RUNBOOK = readRunbook().flatMap(({ name, ways }) => {
  const text = ways['Web UI'];
  return text === undefined ? [] : [[name, text] as const];
});

describeInBrowser('the runbook of docs/operations.md in the Web UI', () => {
  let product: TestProduct;
  let browser: Browser;

  beforeAll(async () => {
    product = await startTestProduct();
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await product?.stop();
  });

  async function carryOut(steps: readonly Step[], { workflowId, eventId = '' }: Arranged): Promise<void> {
    const ui = await openWebUi(browser, product.test.stack.temporal.uiUrl ?? '');
    const filled = (text: string): string => text.replace(/\bID\b/g, workflowId).replace(/\bEVENT\b/g, eventId);
    try {
      for (const { act, first, second } of steps) await act(ui, filled(first), filled(second));
      expect(ui.faults).toEqual([]);
    } finally {
      await ui.page.close();
    }
  }

  it('has steps for every task', () => {
    expect(RUNBOOK.map(([name]) => name).sort()).toEqual(Object.keys(TASKS).sort());
  });

  it.each(RUNBOOK)('%s', async (name, text) => {
    const steps = stepsIn(text).map(stepOf);
    const arranged = (await TASKS[name]?.('ann')(product)) ?? expect.fail(name);
    if (arranged.shows === undefined) await carryOut(steps, arranged);
    // Temporal's lists follow within a second or so, and a page shows what was there when it was opened.
    else
      await until(`what ${name} shows`, () =>
        carryOut(steps, arranged).then(
          () => true,
          () => false,
        ),
      );
    await arranged.obeyed?.();
  });

  it.each(['Press the button.', 'Open /namespaces.', 'Look around.'])('cannot hold a step like "%s"', (step) => {
    expect(() => stepOf(step)).toThrow('nobody knows');
  });
});
