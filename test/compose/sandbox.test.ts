import { describe, expect, it } from 'vitest';
import { noSandbox, type Sandbox } from '../../src/activities/sandbox/sandbox.ts';
import { openSandbox } from '../../src/compose/sandbox.ts';
import { readConfig } from '../../src/config.ts';

const BUBBLEWRAP: Sandbox = { ...noSandbox(true), kind: 'bubblewrap' };
const WORKS = async () => ({ sandbox: BUBBLEWRAP, memoryLimit: 'cgroups of version 1' });
const IS_MISSING = async () => ({ absent: 'not installed: bubblewrap', missingPackages: ['bubblewrap'] });
const PROVIDER = { OPENAI_API_KEY: 'a-key' };

async function open(environment: Readonly<Record<string, string>>, find: typeof WORKS | typeof IS_MISSING) {
  const told: string[] = [];
  const sandbox = await openSandbox({ config: readConfig(environment), tell: (line) => told.push(line), find });
  return { sandbox, told: told.join('\n') };
}

describe('what a worker is told about its sandbox', () => {
  it('is that there is one, whoever writes the files', async () => {
    for (const environment of [{}, PROVIDER]) {
      const { sandbox, told } = await open(environment, WORKS);
      expect(sandbox).toBe(BUBBLEWRAP);
      expect(told).toBe('Programs of builds run in a sandbox (bubblewrap; memory limited by cgroups of version 1)');
    }
  });

  it('is, with the simulated model alone, that there is none and why', async () => {
    const { sandbox, told } = await open({}, IS_MISSING);
    expect(sandbox).toMatchObject({ kind: 'none', takesAnyFiles: false });
    expect(told).toMatch(
      /^There is no sandbox \(not installed: bubblewrap\): .*plain child processes.*other files do not/,
    );
  });

  it('is an error where a real provider’s model would have none, with every way out', async () => {
    const opening = open(PROVIDER, IS_MISSING);
    await expect(opening).rejects.toMatchObject({ code: 'sandbox_missing' });
    await expect(opening).rejects.toThrow(
      /not installed: bubblewrap.*package bubblewrap.*user namespaces.*SANDBOX=off/s,
    );
  });

  it('is that the operator wants none, and whose files run then', async () => {
    const simulated = await open({ SANDBOX: 'off' }, WORKS);
    expect(simulated.sandbox).toMatchObject({ kind: 'none', takesAnyFiles: false });
    expect(simulated.told).toMatch(/^SANDBOX=off: .*without a sandbox.*other files .* do not run/);
    const confirmed = await open({ ...PROVIDER, SANDBOX: 'off', SANDBOX_OFF_CONFIRMED: 'yes' }, WORKS);
    expect(confirmed.sandbox).toMatchObject({ kind: 'none', takesAnyFiles: true });
    expect(confirmed.told).toMatch(/^SANDBOX=off: .*without a sandbox.*all that this user may do/);
  });
});
