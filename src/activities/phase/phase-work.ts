import type { Phase } from '../../machine/states.ts';
import { type Attempt, askRole } from './ask-role.ts';
import { deploy } from './deployment.ts';
import type { Done } from './done.ts';
import { implement } from './implementation.ts';
import { test } from './testing.ts';
import { verify } from './verification.ts';

async function onlyAsk(attempt: Attempt): Promise<Done> {
  return { ...(await askRole(attempt)), commit: null };
}

/** What each phase does beside asking its role. */
export const PHASE_WORK = {
  discovery: onlyAsk,
  planning: onlyAsk,
  implementation: implement,
  testing: test,
  verification: verify,
  deployment: deploy,
} as const satisfies Record<Phase, (attempt: Attempt) => Promise<Done>>;
