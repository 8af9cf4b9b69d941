import { runFileTool } from '../file-tools/file-tools.ts';
import { FILE_TOOLS } from '../file-tools/tool-arguments.ts';
import { createTools, type Tools } from '../llm/tools.ts';
import type { Attempt } from './ask-role.ts';
import type { Ground } from './check-answer.ts';

const NOTHING_YET = 'There are no files yet.';

/**
 * The tools by which a role reads more of the project than its prompt shows; null in phases that judge, whose prompts hold
 * what they judge by. `readAt` says which tree is read from then on.
 */
export function createFileTools({
  deps,
  input,
  meter,
}: Attempt): Readonly<{ tools: Tools; readAt: (ground: Ground) => void }> | null {
  const { build, phase } = input;
  const plans = (phase === 'discovery' || phase === 'planning') && (build.base ?? null) !== null;
  if (!plans && phase !== 'implementation') return null;
  let ground: Ground = build.head;
  const tools = createTools(
    () => (ground === null ? undefined : FILE_TOOLS),
    async (call) => {
      if (ground === null) return NOTHING_YET;
      const { workspaces } = deps;
      return await runFileTool(
        { workspaces, workflowId: build.spec.workflowId, at: ground, signal: meter.signal },
        call,
      );
    },
  );
  return {
    tools,
    readAt: (next) => {
      ground = next;
    },
  };
}
