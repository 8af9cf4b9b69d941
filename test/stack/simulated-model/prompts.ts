import type { ChatMessage } from '../../../src/stack/simulated-model/chat-server.ts';

type PromptParts = {
  phase: string;
  attempt?: number;
  requirements?: unknown;
  earlier?: Record<string, unknown>;
  sentBack?: string[];
  testRun?: unknown;
  criteria?: string[];
  files?: Record<string, string>;
};

const fenced = (value: unknown) => `\`\`\`json\n${JSON.stringify(value, null, 2)}\n\`\`\``;

const shownFile = ([path, content]: [string, string]) => `### ${path}\n\`\`\`\`\n${content}\n\`\`\`\``;

/** The last user message of a role's prompt, in the form that the product writes. */
export function phaseMessage({
  phase,
  attempt = 1,
  requirements = '',
  earlier,
  sentBack,
  testRun,
  criteria,
  files,
}: PromptParts): string {
  return [
    `# Phase: ${phase}\n# Attempt: ${attempt}\n# Build: build-1`,
    `## Requirements\n${fenced(requirements)}`,
    ...(criteria
      ? [`## Success criteria\n${fenced(criteria.map((criterion, index) => ({ number: index + 1, criterion })))}`]
      : []),
    ...(earlier
      ? [
          `## Earlier results\n${Object.entries(earlier)
            .map(([name, result]) => `### ${name}\n${fenced(result)}`)
            .join('\n')}`,
        ]
      : []),
    ...(sentBack ? [`## Sent back\n${sentBack.map((reason) => `- ${reason}`).join('\n')}`] : []),
    ...(files ? [`## Files\n${Object.entries(files).map(shownFile).join('\n\n')}`] : []),
    ...(testRun ? [`## Test run\n${fenced(testRun)}`] : []),
  ].join('\n\n');
}

export function phaseMessages(parts: PromptParts): ChatMessage[] {
  return [
    { role: 'system', content: 'You are a role of a build. # Phase: none' },
    { role: 'user', content: phaseMessage(parts) },
  ];
}
