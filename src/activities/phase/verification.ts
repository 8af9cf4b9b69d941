import { type Attempt, askRole } from './ask-role.ts';
import type { Done } from './done.ts';

/** The verification overseer's phase. */
export async function verify(attempt: Attempt): Promise<Done> {
  return { ...(await askRole(attempt)), commit: null };
}
