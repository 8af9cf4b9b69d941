import { describe, expect, it } from 'vitest';
import { isBuildSpec } from '../../src/machine/spec-check.ts';
import { specOf } from './sample-builds.ts';

const spec: object = specOf({});
/** What builds that began before lack. */
const OPTIONAL = ['defaultModels', 'rules', 'source', 'mayRunAnyFiles', 'announces'];

describe('what a build is made from', () => {
  it('is what the API makes', () => {
    expect(isBuildSpec(spec)).toBe(true);
    expect(isBuildSpec(specOf({ model: 'gpt-4', metadata: { kind: 'inline', value: { a: 1 } } }))).toBe(true);
  });

  it.each(Object.keys(spec))('is not what has no %s, or another kind of it', (name) => {
    expect(isBuildSpec({ ...spec, [name]: Symbol('no such thing') })).toBe(false);
    if (!OPTIONAL.includes(name)) expect(isBuildSpec({ ...spec, [name]: undefined })).toBe(false);
  });

  it.each([
    { source: { kind: 'git', url: 'https://git.test/slug.git', ref: null } },
    { mayRunAnyFiles: true },
    { announces: false },
    { rules: undefined },
  ])('may have %j', (more) => {
    expect(isBuildSpec({ ...spec, ...more })).toBe(true);
  });

  it.each([
    { source: { kind: 'git', url: 7, ref: null } },
    { mayRunAnyFiles: 'yes' },
    { announces: 1 },
    { rules: '2' },
  ])('has no %j', (more) => {
    expect(isBuildSpec({ ...spec, ...more })).toBe(false);
  });

  it.each([undefined, null, 'text', 7, [], {}, { $undecodable: 'no JSON' }])('is not %j', (given) => {
    expect(isBuildSpec(given)).toBe(false);
  });
});
