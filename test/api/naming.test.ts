import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../src/api/digest.ts';
import { detailsOf } from '../../src/api/web-ui-text.ts';
import { isWorkflowId, workflowIdOf } from '../../src/api/workflow-id.ts';
import type { BuildSpec } from '../../src/machine/build.ts';
import { summaryOf } from '../../src/workflows/summary.ts';

describe('the id of a build', () => {
  it('is the same for ever', () => {
    expect(workflowIdOf('smoke')).toBe('e5689e03-f1ee-5182-9cfb-fdaeeb896567');
    expect(workflowIdOf('größe/1')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('is told from other names', () => {
    expect(isWorkflowId(workflowIdOf('a'))).toBe(true);
    expect(isWorkflowId('nightly-report')).toBe(false);
    expect(isWorkflowId(`${workflowIdOf('a')}x`)).toBe(false);
  });
});

describe('canonical JSON', () => {
  it('is the same for the same content, and only for it', () => {
    expect(canonicalJson({ b: [1, { d: null, c: 'x' }], a: undefined })).toBe('{"b":[1,{"c":"x","d":null}]}');
    expect(canonicalJson({ a: ['1'] })).not.toBe(canonicalJson({ a: [1] }));
    expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]));
    expect(canonicalJson({ 10: 'a', 9: 'b', __proto__: 1 })).toBe(canonicalJson({ 9: 'b', 10: 'a' }));
  });
});

const spec = (requirements: string): BuildSpec => ({
  workflowId: workflowIdOf('a'),
  buildId: 'a',
  projectId: 'shop\n1',
  userId: 'ann',
  requirements: { kind: 'inline', value: requirements },
  metadata: null,
  model: null,
  externalRoles: ['code_writer'],
  coverageMin: 80,
  maxSendBacks: 3,
  activeTimeoutMs: 1000,
  startDigest: 'd',
  simulated: true,
});

describe('the summary of a build', () => {
  it('is one line with the project and the first words of the requirements', () => {
    expect(summaryOf(spec('a function\nthat\tslugifies'))).toBe('`shop 1: a function that slugifies`');
  });

  it.each(['ä', '😀', 'a😀', 'x'])('is 200 bytes at most, and no character of "%s…" is cut', (character) => {
    const summary = summaryOf(spec(character.repeat(300)));
    expect(Buffer.byteLength(summary)).toBeLessThanOrEqual(202);
    expect(Buffer.byteLength(summary)).toBeGreaterThan(190);
    expect(summary).not.toContain('\ufffd');
    expect(summary.endsWith('…`')).toBe(true);
  });

  it('shows a stored text by its first words', () => {
    const ref = { sha256: 'f'.repeat(64), bytes: 5000, preview: '{"goal":"slugs"' };
    expect(summaryOf({ ...spec(''), requirements: { kind: 'artifact', ref } })).toContain('"slugs"');
  });

  it('goes with details that say what is simulated and what is external', () => {
    expect(detailsOf(spec('x'), 'http://q')).toMatch(/simulated\); external: code_writer; coverage at least 80 %/);
    expect(Buffer.byteLength(detailsOf(spec('x'.repeat(200_000)), 'http://q'))).toBeLessThan(2000);
  });

  it('goes with links to the build itself', () => {
    const page = `http://q/api/workflows/${workflowIdOf('a')}`;
    expect(detailsOf(spec('x'), 'http://q')).toContain(`[status](${page}/status), [audit](${page}/history)`);
  });
});
