import { describe, expect, it } from 'vitest';
import { isBuildSpec } from '../../src/machine/spec-check.ts';
import { specOf } from './sample-builds.ts';

const spec: object = specOf({});

describe('what a build is made from', () => {
  it('is what the API makes', () => {
    expect(isBuildSpec(spec)).toBe(true);
    expect(isBuildSpec(specOf({ model: 'gpt-4', metadata: { kind: 'inline', value: { a: 1 } } }))).toBe(true);
  });

  it.each(Object.keys(spec))('is not what has no %s, or another kind of it', (name) => {
    expect(isBuildSpec({ ...spec, [name]: Symbol('no such thing') })).toBe(false);
    if (name !== 'defaultModels') expect(isBuildSpec({ ...spec, [name]: undefined })).toBe(false);
  });

  it.each([undefined, null, 'text', 7, [], {}, { $undecodable: 'no JSON' }])('is not %j', (given) => {
    expect(isBuildSpec(given)).toBe(false);
  });
});
