import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMirror, type Mirror } from '../../../src/mirror/mirror.ts';
import { createReadClient, type ReadClient } from '../../../src/mirror/read-client.ts';
import { createReader } from '../../../src/mirror/reader.ts';
import { eventually } from '../../eventually.ts';
import { call, cleanRun, flushOf, specOf } from '../../mirror/builds.ts';
import { type Databases, startDatabases } from './database-fixture.ts';
import { startWire, type Wire } from './wire.ts';

const SHORT = { timeoutMs: 200 };
const LONG = { timeoutMs: 10_000 };
const BREAKER_MS = 1_000;

let databases: Databases;
let wire: Wire;
let mirror: Mirror;
let clockMs: number;
const [start, planning, coding] = cleanRun(specOf('a'));
if (!start || !planning || !coding) throw new Error('a run has steps');

beforeAll(async () => {
  databases = startDatabases();
});
afterAll(() => databases.stop());
beforeEach(async () => {
  wire = await startWire(await databases.migrated());
  clockMs = 0;
  mirror = createMirror({ databaseUrl: wire.url, poolSize: 2, breakerMs: BREAKER_MS, nowMs: () => clockMs });
});
afterEach(async () => {
  await mirror.close();
  await wire.stop();
});

const unavailable = (words: string) => ({ code: 'mirror_unavailable', message: expect.stringContaining(words) });
const events = async (): Promise<number> => {
  const rows = await databases.query(wire.url, 'select from workflow_events');
  return rows.length;
};

describe('a flush to a server that hangs', () => {
  it('gives up at its deadline, whether it waits for a connection or for an answer', async () => {
    await mirror.flush(flushOf(start), LONG);
    wire.cut();
    const patient = { ...SHORT, patient: true };
    // One more than there are connections: the last waits for a free one.
    const flushes = [1, 2, 3].map(() => mirror.flush(flushOf(planning), patient));
    for (const flush of await Promise.allSettled(flushes)) {
      expect(flush).toMatchObject({ reason: unavailable('no answer within 200 ms') });
    }
  });

  it('leaves no connection to it behind', async () => {
    await mirror.flush(flushOf(start), LONG);
    wire.cut();
    await expect(mirror.flush(flushOf(planning), SHORT)).rejects.toMatchObject(unavailable('no answer'));
    await eventually(() => expect(wire.connections()).toBe(0));
  });

  it('succeeds when it is repeated after the server came back, and writes nothing twice', async () => {
    await mirror.flush(flushOf(start), LONG);
    wire.cut();
    await expect(mirror.flush(flushOf(planning), SHORT)).rejects.toMatchObject(unavailable('no answer'));
    wire.mend();
    await mirror.flush(flushOf(planning), { ...LONG, patient: true });
    expect(await events()).toBe(planning.build.seq);
  });

  it('does not keep the mirror from being closed', async () => {
    await mirror.flush(flushOf(start), LONG);
    wire.cut();
    await expect(mirror.flush(flushOf(planning), SHORT)).rejects.toMatchObject(unavailable('no answer'));
    await mirror.close();
    await eventually(() => expect(wire.connections()).toBe(0));
  });

  it('stops waiting when it is cancelled, with the reason of the cancellation', async () => {
    wire.cut();
    const reason = new Error('the attempt was cancelled');
    const controller = new AbortController();
    const flush = mirror.flush(flushOf(start), { timeoutMs: 1_000, signal: controller.signal });
    controller.abort(reason);
    await expect(flush).rejects.toBe(reason);
    await expect(mirror.flush(flushOf(start), { ...SHORT, signal: controller.signal })).rejects.toBe(reason);
    expect(mirror.statements()).toBe(1);
  });
});

describe('after a flush that failed', () => {
  beforeEach(async () => {
    wire.cut();
    await expect(mirror.flush(flushOf(start), SHORT)).rejects.toMatchObject(unavailable('no answer'));
    expect(mirror.statements()).toBe(1);
  });

  it('the next fail at once, and so do lost calls', async () => {
    clockMs = BREAKER_MS - 1;
    await expect(mirror.flush(flushOf(start), LONG)).rejects.toMatchObject(unavailable('a moment ago'));
    const lost = { workflowId: 'workflow-a', branch: 'run-1', phase: 'planning', attempt: 1 } as const;
    await expect(mirror.recordCalls({ ...lost, calls: [call('x')] })).rejects.toMatchObject(
      unavailable('a moment ago'),
    );
    expect(mirror.statements()).toBe(1);
  });

  it('one at a time tries again after a while', async () => {
    clockMs = BREAKER_MS;
    const probe = mirror.flush(flushOf(start), SHORT);
    await expect(mirror.flush(flushOf(start), LONG)).rejects.toMatchObject(unavailable('a moment ago'));
    await expect(probe).rejects.toMatchObject(unavailable('no answer'));
    await expect(mirror.flush(flushOf(start), LONG)).rejects.toMatchObject(unavailable('a moment ago'));
    expect(mirror.statements()).toBe(2);
  });

  it('a patient one tries all the same, and its success lets the others through', async () => {
    wire.mend();
    await mirror.flush(flushOf(start), { ...LONG, patient: true });
    await mirror.flush(flushOf(planning), LONG);
    expect(await events()).toBe(planning.build.seq);
  });
});

describe('a read from a server that hangs', () => {
  let client: ReadClient;
  beforeEach(() => {
    client = createReadClient({ databaseUrl: wire.url, poolSize: 2, timeoutMs: 200 });
  });
  afterEach(() => client.close());

  it('gives up at its deadline and works again when the server is back', async () => {
    await mirror.flush(flushOf(start), LONG);
    const reader = createReader(client.prisma, 200);
    const patientReader = createReader(client.prisma, 10_000);
    await patientReader.ping();
    wire.cut();
    await expect(reader.findBuild('workflow-a')).rejects.toMatchObject(unavailable('within 200 ms'));
    await expect(reader.ping(50)).rejects.toMatchObject(unavailable('within 50 ms'));
    wire.mend();
    const found = () => patientReader.findBuild('workflow-a').catch(() => null);
    await eventually(async () => expect(await found()).not.toBeNull());
  });
});

describe('a database that nobody answers for', () => {
  it('is named without its password', async () => {
    const nobody = createMirror({ databaseUrl: 'postgresql://me:s3cret-word@127.0.0.1:1/builds', poolSize: 1 });
    const failure = await nobody.flush(flushOf(start), LONG).catch((error: unknown) => error);
    expect(failure).toMatchObject(unavailable('127.0.0.1:1/builds did not take the rows: ECONNREFUSED'));
    expect(String(failure)).not.toContain('s3cret-word');
    await nobody.close();
  });
});
