import { buildPrompt, type Message, type PromptInput } from '../../src/prompts/prompt.ts';

/** A small input for an implementation that was sent back once; a test overrides what it is about. */
export function promptInput(overrides: Partial<PromptInput> = {}): PromptInput {
  return {
    workflowId: 'workflow-1',
    buildId: 'build-1',
    phase: 'implementation',
    attempt: 2,
    driver: 'llm',
    coverageMin: 80,
    requirements: 'a slug function',
    earlierResults: [
      { phase: 'discovery', result: { discovered_reqs: ['slugs'] } },
      { phase: 'planning', result: { plan: 'one module' } },
    ],
    conversation: [
      { phase: 'discovery', attempt: 1, role: 'q_assistant', content: { discovered_reqs: ['slugs'] } },
      { phase: 'implementation', attempt: 1, role: 'code_writer', content: { technical_notes: 'first try' } },
    ],
    feedback: [
      {
        kind: 'sent_back',
        from: 'testing',
        attempt: 1,
        reason: 'accents stay',
        rejected: [{ phase: 'testing', result: { all_tests_passed: false } }],
      },
    ],
    files: [{ path: 'src/slug.js', content: 'export const slug = 1;\n' }],
    tree: null,
    diff: null,
    testRun: null,
    ...overrides,
  };
}

export function finalOf(input: PromptInput): string {
  return buildPrompt(input).at(-1)?.content ?? '';
}

export const charsOf = (messages: readonly Message[]): number =>
  messages.reduce((sum, { content }) => sum + content.length, 0);
