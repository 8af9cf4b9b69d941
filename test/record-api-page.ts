import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startFakeModel } from './fakes/model.ts';
import { startTestApi } from './integration/fixtures/api.ts';
import { startOwnStack } from './integration/fixtures/own-stack.ts';
import { runStep, stepsOf, withReplies } from './integration/fixtures/page.ts';
import { startTestWorker } from './integration/fixtures/worker.ts';

/** `node --import tsx test/record-api-page.ts`: runs every command of docs/api.md and writes the replies below them. */
const PAGE = fileURLToPath(new URL('../docs/api.md', import.meta.url));

const stack = await startOwnStack();
const model = await startFakeModel();
const worker = await startTestWorker(stack, model);
const api = await startTestApi(stack);
try {
  const page = readFileSync(PAGE, 'utf8');
  const replies: string[] = [];
  for (const step of stepsOf(page)) replies.push(await runStep(step, api.url));
  writeFileSync(PAGE, withReplies(page, replies));
} finally {
  await api.close();
  await worker.close();
  await model.stop();
  await stack.stop();
}
