import { describe, expect, it } from 'vitest';
import { type Build, OPERATION_LIMIT } from '../../src/machine/build.ts';
import type { JsonObject } from '../../src/machine/json.ts';
import { extractResult } from '../../src/machine/payloads.ts';
import { snapshotOf } from '../../src/machine/snapshot.ts';
import { PHASES, phaseAt } from '../../src/machine/states.ts';
import {
  apply,
  buildIn,
  completing,
  FAILING,
  parkedAtLimit,
  play,
  RESULTS,
  retrying,
  rollingBack,
  start,
} from './sample-builds.ts';

const bytesOf = (value: unknown): number => new TextEncoder().encode(JSON.stringify(value)).length;
const full = (name: string) => ({ sha256: name.repeat(64).slice(0, 64), bytes: 120_000, preview: 'x'.repeat(120) });
const commit = { commit: 'a'.repeat(40), tree: 'b'.repeat(40) };

/** What a result too large to travel leaves behind at its largest: long texts in every field that is kept. */
const extracted = (data: JsonObject): JsonObject =>
  extractResult({
    ...data,
    ...('version' in data ? { version: 'v'.repeat(500) } : {}),
    reason: 'r'.repeat(5000),
    next_role_instruction: 'i'.repeat(5000),
  });

function finished(from: Build): Build {
  let build = from;
  while (build.position.status === 'in_progress') {
    const phase = phaseAt(build.position.state);
    build = apply(build, completing(extracted(RESULTS[phase]), { full: full(phase), commit })).build;
  }
  return build;
}

describe('sizes', () => {
  it('of the snapshot of a finished build with extracted results stay under 8 kB', () => {
    const build = finished(start());
    expect(Object.keys(build.results)).toEqual([...PHASES]);
    expect(bytesOf(snapshotOf(build))).toBeLessThan(8_000);
  });

  it('of a build parked after too many extracted rejects stay under 16 kB', () => {
    let build = buildIn('testing');
    for (let n = 0; n < 4; n++) {
      build = apply(build, completing(extracted(FAILING.testing), { full: full('t') })).build;
      if (build.position.status !== 'in_progress') break;
      build = apply(build, completing(extracted(RESULTS.implementation), { full: full('i'), commit })).build;
    }
    expect(build.position.status).toBe('error');
    expect(bytesOf(snapshotOf(build))).toBeLessThan(16_000);
    expect(bytesOf(snapshotOf(parkedAtLimit('verification')))).toBeLessThan(16_000);
  });

  it('of what continue-as-new carries with 100 remembered operations stay under 32 kB', () => {
    let build = play(start(), completing(RESULTS.discovery)).build;
    for (let n = 0; n < OPERATION_LIMIT / 2; n++) {
      const opId = (part: string): string => `0192${part}-7b1e-7cc0-8000-${String(n).padStart(12, '0')}`;
      build = play(
        build,
        retrying('do it again', { opId: opId('aaaa') }),
        rollingBack('discovery', { opId: opId('bbbb') }),
        completing(RESULTS.discovery),
      ).build;
    }
    build = finished(build);
    expect(build.operations).toHaveLength(OPERATION_LIMIT);
    expect(bytesOf(build)).toBeLessThan(32_000);
  });

  it('of the conversation are bounded, and current results stay in it however old', () => {
    let build = start();
    build = apply(build, completing(RESULTS.discovery)).build;
    build = apply(build, completing(RESULTS.planning)).build;
    for (let n = 0; n < 60; n++) {
      build = play(build, completing(RESULTS.implementation), retrying()).build;
    }
    expect(build.conversation.length).toBeLessThanOrEqual(24 + 2);
    expect(build.conversation.slice(0, 2).map(({ phase }) => phase)).toEqual(['discovery', 'planning']);
  });
});
