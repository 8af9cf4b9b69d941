import { PHASES } from '../../src/machine/states.ts';
import { ChatRefusal, type ChatRequest, startChatServer } from '../../src/stack/simulated-model/chat-server.ts';
import { INSTANT_ANSWERS } from './instant-answers.ts';
import { serve, usage } from './serve.ts';

export type InstantModelReady = Readonly<{ baseUrl: string }>;

const PHASE_LINE = new RegExp(`^# Phase: (${PHASES.join('|')})\\s*$`, 'm');
const contents = Object.fromEntries(
  Object.entries(INSTANT_ANSWERS).map(([phase, answer]) => [phase, JSON.stringify(answer)]),
);
let delayMs = 0;

const server = await startChatServer({
  answer: async ({ messages }: ChatRequest) => {
    const asked = messages.findLast(({ role }) => role === 'user')?.content ?? '';
    const content = contents[PHASE_LINE.exec(asked)?.[1] ?? ''];
    if (content === undefined) throw new ChatRefusal(400, 'The last user message names no phase.', 'messages');
    return { content, delayMs };
  },
});
const ready: InstantModelReady = { baseUrl: server.baseUrl };
const answers = {
  usage: (settled: unknown) => usage(settled === true),
  delay: (value: unknown) => {
    delayMs = Number(value);
  },
};
serve(ready, answers, () => server.stop());
