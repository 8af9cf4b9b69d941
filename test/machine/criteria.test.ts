import { describe, expect, it } from 'vitest';
import { criteriaOf } from '../../src/machine/criteria.ts';

const of = (success_criteria: unknown, discovery: unknown = ['from discovery']) =>
  criteriaOf({ planning: { success_criteria } as never, discovery: { success_criteria: discovery } as never });

describe('the success criteria of a build', () => {
  it("are planning's, in their order", () => {
    expect(of([' a ', 'b'])).toEqual(['a', 'b']);
  });

  it.each([undefined, null, [], ['', ' '], {}])("are discovery's where planning gives %j", (given) => {
    expect(of(given)).toEqual(['from discovery']);
  });

  it('are none where nobody gives any', () => {
    expect(of(undefined, null)).toEqual([]);
    expect(criteriaOf({ planning: 'a plan as a text' })).toEqual([]);
  });

  it('are one where they are a text', () => {
    expect(of('it is fast')).toEqual(['it is fast']);
  });

  it('are named by the field that says most where they are objects', () => {
    expect(
      of([
        { id: 'C1', criterion: 'it is fast' },
        { title: 'Small', description: 'it is small' },
        { name: 'Safe' },
        { metric: 'ms', target: 5 },
        7,
      ]),
    ).toEqual(['it is fast', 'it is small', 'Safe', '{"metric":"ms","target":5}', '7']);
  });

  it('count once where they differ in white space, case and a full stop alone', () => {
    expect(of(['It is fast.', 'it  is\nFAST', 'it is safe'])).toEqual(['It is fast.', 'it is safe']);
  });
});
