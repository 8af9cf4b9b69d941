import { expect, it } from 'vitest';
import { until } from '../fixtures/builds.ts';
import { readRunbook, stepsIn } from '../fixtures/runbook.ts';
import {
  choose,
  chooseAction,
  FIRST_LOOK_MS,
  goToTab,
  isFormOpen,
  open,
  press,
  read,
  submit,
  tick,
  type WebUi,
  write,
  writeInto,
} from '../fixtures/web-ui.ts';
import type { Place } from '../fixtures/web-ui-tests.ts';
import { type Arranged, TASKS } from '../runbook/tasks.ts';

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

const readWhatStands: Act = (ui, text) => read(ui, text);

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
  [/^Read `([^`]+)`\.$/, readWhatStands],
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

async function carryOut(ui: WebUi, steps: readonly Step[], { workflowId, eventId = '' }: Arranged): Promise<void> {
  const filled = (text: string): string => text.replace(/\bID\b/g, workflowId).replace(/\bEVENT\b/g, eventId);
  for (const { act, first, second } of steps) await act(ui, filled(first), filled(second));
}

/**
 * The same steps from the first on, until what they read is there: lists follow within a second or so, and a page shows what was
 * there when it was opened. Each look is longer than the one before, for a page that is slow.
 */
async function seeInTime(ui: WebUi, steps: readonly Step[], arranged: Arranged): Promise<void> {
  let lookMs = FIRST_LOOK_MS;
  let shown = true;
  const look = async (page: WebUi, text: string): Promise<void> => {
    await read(page, text, lookMs).catch(() => {
      shown = false;
    });
  };
  const looks = steps.map((step) => (step.act === readWhatStands ? { ...step, act: look } : step));
  await until('what the steps read', async () => {
    shown = true;
    await carryOut(ui, looks, arranged);
    lookMs *= 2;
    return shown;
  });
}

export function testsOfRunbook(place: Place): void {
  it.each(RUNBOOK)('%s', async (name, text) => {
    const { product, ui } = place;
    const steps = stepsIn(text).map(stepOf);
    const arranged = (await TASKS[name]?.('ann')(product)) ?? expect.fail(name);
    await (arranged.shows === undefined ? carryOut : seeInTime)(ui, steps, arranged);
    await arranged.obeyed?.();
  });
}

/** These need no browser. */
export function testsOfSteps(): void {
  it('are there for every task', () => {
    expect(RUNBOOK.map(([name]) => name).sort()).toEqual(Object.keys(TASKS).sort());
  });

  it.each(['Press the button.', 'Open /namespaces.', 'Look around.'])('cannot be like "%s"', (step) => {
    expect(() => stepOf(step)).toThrow('nobody knows');
  });
}
