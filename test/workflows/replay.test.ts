import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { PAYLOAD_CONVERTER_PATH } from '../../src/payload-converter-path.ts';
import { workflowBundle } from '../../src/workflow-bundle.ts';

const FOLDER = fileURLToPath(new URL('../histories', import.meta.url));
const SIZE_LIMIT_BYTES = 150_000;

type RecordedEvent = { eventType: string } & Record<string, unknown>;
type Recorded = { events: RecordedEvent[] };

/** Each recording (test/histories/record.ts) with the kinds of events that make it worth keeping. */
const RECORDINGS: Readonly<Record<string, readonly string[]>> = {
  'clean-build': ['ACTIVITY_TASK_COMPLETED', 'MARKER_RECORDED', 'WORKFLOW_EXECUTION_COMPLETED'],
  'send-back': ['WORKFLOW_EXECUTION_COMPLETED'],
  'parked-and-retried': ['ACTIVITY_TASK_FAILED', 'WORKFLOW_EXECUTION_UPDATE_COMPLETED', 'WORKFLOW_EXECUTION_COMPLETED'],
  'rolled-back': ['ACTIVITY_TASK_CANCELED', 'WORKFLOW_EXECUTION_COMPLETED'],
  'pre-empted': ['ACTIVITY_TASK_CANCEL_REQUESTED', 'ACTIVITY_TASK_CANCELED', 'WORKFLOW_EXECUTION_COMPLETED'],
  'late-answer': ['ACTIVITY_TASK_CANCEL_REQUESTED', 'WORKFLOW_EXECUTION_COMPLETED'],
  'external-six-calls': ['WORKFLOW_EXECUTION_UPDATE_ACCEPTED', 'WORKFLOW_EXECUTION_COMPLETED'],
  'measured-for-an-external-tester': ['WORKFLOW_EXECUTION_UPDATE_COMPLETED', 'WORKFLOW_EXECUTION_COMPLETED'],
  'junk-signals': ['WORKFLOW_EXECUTION_SIGNALED', 'WORKFLOW_EXECUTION_COMPLETED'],
  'continued-as-new': ['WORKFLOW_EXECUTION_CONTINUED_AS_NEW'],
  'continued-as-new-2': ['ACTIVITY_TASK_COMPLETED', 'WORKFLOW_EXECUTION_COMPLETED'],
  'continued-at-leisure': ['WORKFLOW_EXECUTION_CONTINUED_AS_NEW'],
  'continued-at-leisure-2': ['UPSERT_WORKFLOW_SEARCH_ATTRIBUTES', 'WORKFLOW_EXECUTION_COMPLETED'],
  'parked-at-leisure': ['UPSERT_WORKFLOW_SEARCH_ATTRIBUTES', 'WORKFLOW_EXECUTION_COMPLETED'],
  'cancelled-in-temporal': ['WORKFLOW_EXECUTION_CANCEL_REQUESTED', 'WORKFLOW_EXECUTION_CANCELED'],
  'began-with-a-source': ['WORKFLOW_EXECUTION_COMPLETED'],
  'files-from-outside': ['WORKFLOW_EXECUTION_UPDATE_COMPLETED', 'WORKFLOW_EXECUTION_COMPLETED'],
  'release-undone-by-rollback': ['ACTIVITY_TASK_CANCEL_REQUESTED', 'WORKFLOW_EXECUTION_COMPLETED'],
  'release-undone-by-abort': ['ACTIVITY_TASK_CANCEL_REQUESTED', 'WORKFLOW_EXECUTION_COMPLETED'],
  'reset-midway': ['WORKFLOW_TASK_FAILED', 'WORKFLOW_EXECUTION_COMPLETED'],
};

const pathOf = (name: string): string => join(FOLDER, `${name}.json`);
const load = (name: string): Recorded => JSON.parse(readFileSync(pathOf(name), 'utf8')) as Recorded;

let codePath: string;
beforeAll(async () => {
  codePath = await workflowBundle(readConfig().cacheDir);
});

function replay({ events }: Recorded): Promise<void> {
  // The workflow compares its id with the one in its input.
  const workflowId = /"workflowId":"([^"]+)"/.exec(JSON.stringify(events[0]))?.[1];
  const dataConverter = { payloadConverterPath: PAYLOAD_CONVERTER_PATH };
  return Worker.runReplayHistory({ workflowBundle: { codePath }, dataConverter }, { events }, workflowId);
}

describe('a recorded history', () => {
  it('is known for every file of the folder, and there for every name', () => {
    const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
    expect(files.sort()).toEqual(
      Object.keys(RECORDINGS)
        .map((name) => `${name}.json`)
        .sort(),
    );
  });

  it.each(Object.entries(RECORDINGS))('%s still shows what it was recorded for, and is small', (name, kinds) => {
    const seen = new Set(load(name).events.map(({ eventType }) => eventType.replace('EVENT_TYPE_', '')));
    expect([...seen]).toEqual(expect.arrayContaining([...kinds]));
    expect(statSync(pathOf(name)).size).toBeLessThan(SIZE_LIMIT_BYTES);
  });

  it.each(Object.keys(RECORDINGS))('%s replays with the workflow of today', async (name) => {
    await replay(load(name));
  });
});

type Indexed = { searchAttributes: { indexedFields: Record<string, { data: string }> } };
const statesShownIn = (name: string): unknown[] =>
  load(name).events.flatMap((event) => {
    const shown = event.upsertWorkflowSearchAttributesEventAttributes as Indexed | undefined;
    const state = shown?.searchAttributes.indexedFields.BuildState;
    return state ? [JSON.parse(Buffer.from(state.data, 'base64').toString()) as unknown] : [];
  });

describe('the index of states', () => {
  it('followed every phase in runs that began before there was a pause', () => {
    const rest = ['implementation', 'testing', 'verification', 'deployment', 'complete'];
    expect(statesShownIn('parked-and-retried')).toEqual(['planning', 'error', 'planning', ...rest]);
  });

  it('is told at once where a build parks, is mended and ends, and not in haste where models drive it', () => {
    expect(statesShownIn('parked-at-leisure')).toEqual(['error', 'planning', 'complete']);
  });

  it('is told once by a run that goes on for another, which cannot know what it says', () => {
    expect(statesShownIn('continued-at-leisure')).toEqual([]);
    expect(statesShownIn('continued-at-leisure-2')).toHaveLength(2);
  });
});

describe('a workflow that no longer does what was recorded', () => {
  it.each(['clean-build', 'external-six-calls', 'continued-as-new-2'])(
    'is found out: another activity in %s',
    async (name) => {
      const { events } = load(name);
      const at = events.findIndex(({ eventType }) => eventType === 'EVENT_TYPE_ACTIVITY_TASK_SCHEDULED');
      const other = JSON.stringify(events[at]).replace(
        /"activityType":\{"name":"\w+"\}/,
        '"activityType":{"name":"other"}',
      );
      expect(JSON.parse(other)).not.toEqual(events[at]);
      const altered = { events: events.with(at, JSON.parse(other) as RecordedEvent) };
      await expect(replay(altered)).rejects.toThrow(DeterminismViolationError);
    },
  );
});
