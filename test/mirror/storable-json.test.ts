import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonFaults } from '../../src/machine/json.ts';
import { storableJson } from '../../src/mirror/storable-json.ts';

const parsed = (value: unknown): unknown => JSON.parse(storableJson(value));

describe('storable JSON', () => {
  it('has U+FFFD for NUL and lone surrogates, in keys too', () => {
    expect(parsed({ 'k\0': ['a\0', '\ud800', 'x\udfffy'] })).toEqual({
      'k\ufffd': ['a\ufffd', '\ufffd', 'x\ufffdy'],
    });
  });

  it.each(['\\u0000', '\\\\u0000', '\\ud800', '\\', '😀', '\\😀\n"', '\u0001\ufffd'])('keeps the text %j', (text) => {
    expect(parsed([text, '\0'])).toEqual([text, '\ufffd']);
  });

  it('never has what PostgreSQL refuses, and changes nothing else', () => {
    const unit = fc.constantFrom('\0', '\ud83d', '\ude00', '\\', 'u', '0', 'd', '8', '"', 'a');
    fc.assert(
      fc.property(fc.array(unit), (units) => {
        const text = units.join('');
        const stored = parsed(text);
        expect(jsonFaults(stored)).toEqual([]);
        expect(stored).toBe(Buffer.from(text.replaceAll('\0', '\ufffd')).toString());
      }),
    );
  });
});
