import { type Build, isOver, type Position, stateOf } from './build.ts';
import type { RefusalCode, Refused } from './commands.ts';
import { retryTarget, rollbackTargets } from './going-back.ts';
import type { Fault } from './json.ts';
import { actingRole } from './states.ts';

/** What a caller may do now, in words that name the call and its arguments. */
export function allowedNow(position: Position): string[] {
  if (isOver(position)) return [];
  const target = retryTarget(position);
  return [
    ...(position.status === 'in_progress'
      ? [`advance as ${actingRole(position.state)} with completed_state ${position.state}`]
      : []),
    ...(target === null ? [] : [`retry (to ${target})`]),
    `rollback to ${rollbackTargets(position).join(', ')}`,
    'abort',
  ];
}

export function refuse(build: Build, code: RefusalCode, message: string, faults: readonly Fault[] = []): Refused {
  const { position } = build;
  return { ok: false, refusal: { code, message, state: stateOf(position), allowed: allowedNow(position), faults } };
}
