import { type Attempt, askRole } from './ask-role.ts';
import { commitFiles } from './commit-files.ts';
import type { Done } from './done.ts';

/** The code writer's phase. */
export async function implement(attempt: Attempt): Promise<Done> {
  const { value, simulated } = await askRole(attempt);
  return { value, commit: await commitFiles(attempt, value), simulated };
}
