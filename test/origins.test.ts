import { describe, expect, it } from 'vitest';
import { isLoopbackUrl, readOrigins } from '../src/origins.ts';

describe('CORS_ORIGINS', () => {
  it('are origins as browsers send them, each once', () => {
    const text = 'https://shop.example, http://localhost:5173,http://[::1]:8080,https://shop.example,';
    expect(readOrigins(text)).toEqual({
      origins: ['https://shop.example', 'http://localhost:5173', 'http://[::1]:8080'],
      faults: [],
    });
  });

  it.each([
    ['*', /every origin is not taken/],
    ['shop.example', /scheme:\/\/host\[:port\]/],
    ['ftp://shop.example', /http or https/],
    ['null', /scheme/],
    ['https://', /scheme/],
    ['https://*.shop.example/x', /write https:\/\/\*\.shop\.example$/],
    ['https://shop.example/', /write https:\/\/shop\.example$/],
    ['https://shop.example/app?x=1', /write https:\/\/shop\.example$/],
    ['https://Shop.example', /write https:\/\/shop\.example$/],
    ['HTTPS://shop.example', /write https:\/\/shop\.example$/],
    ['https://shop.example:443', /write https:\/\/shop\.example$/],
    ['https://ann:hidden@shop.example', /write https:\/\/shop\.example$/],
  ])('%s are refused with the rule, and with what to write where that is clear', (text, fault) => {
    const { faults } = readOrigins(`https://good.example,${text}`);
    expect(faults).toEqual([expect.stringMatching(fault)]);
    expect(faults[0]).toMatch(/^entry 2 must be an origin/);
    expect(faults[0]).not.toContain('hidden');
  });

  it('have all their faults listed at once', () => {
    expect(readOrigins('*,http://a.example,b,http://c.example/').faults).toHaveLength(3);
  });
});

describe('this machine', () => {
  it.each([
    ['http://localhost', true],
    ['https://LOCALHOST:1', true],
    ['http://127.0.0.1:3000/x', true],
    ['http://[::1]', true],
    ['http://localhost.evil.example', false],
    ['http://localhost@evil.example', false],
    ['http://0.0.0.0', false],
    ['http://', false],
    ['null', false],
    ['', false],
  ])('is where %j is: %s', (url, here) => {
    expect(isLoopbackUrl(url)).toBe(here);
  });
});
