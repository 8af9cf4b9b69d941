import { z } from 'zod';
import { mayUse, notFound } from './access.ts';
import { projectParams, workflowParams } from './fields.ts';
import { fromMirror } from './mirror-deadline.ts';
import type { ApiDeps, RowPlace } from './ports.ts';
import { liveEvent, streamEnd } from './replies.ts';
import { defineStream } from './route.ts';

const NUMBER = '[1-9]\\d{0,8}';
const placeFault = 'must be the id of an event of this build, like 1.12';
/** `<generation>.<seq>`, as in the history. */
const buildEventId = z
  .string({ error: placeFault })
  .regex(new RegExp(`^${NUMBER}\\.${NUMBER}$`), { error: placeFault })
  .transform((text): RowPlace => {
    const [generation = 0, seq = 0] = text.split('.').map(Number);
    return { generation, seq };
  })
  .meta({ type: 'string', pattern: `^${NUMBER}\\.${NUMBER}$`, examples: ['1.12'] });

const positionFault = 'must be the id of an event of this stream';
const POSITION = '^(0|[1-9]\\d{0,14})$';
/** Opaque to callers: the place of an event among those of all builds. */
const projectEventId = z
  .string({ error: positionFault })
  .regex(new RegExp(POSITION), { error: positionFault })
  .transform(Number)
  .meta({ type: 'string', pattern: POSITION, examples: ['4711'] });

const RECONNECT =
  'Each event comes once and in order, also after a reconnect with `Last-Event-ID` (or `last_event_id` in the address, where a client cannot set the header; the header wins), to this or another server. Without it the stream begins with the first event. Comment lines keep the connection open; a reader that does not keep up is cut off and may come back.';

/** A browser whose stream is refused does not try again, and after a restart all of them come at once. */
const CONNECT_DEADLINE_MS = 3000;

/** @returns null when the build is over and its reader has all of it */
async function begin(workflowId: string, place: RowPlace | null, deps: ApiDeps) {
  const found = await fromMirror(() => deps.feed.locate(workflowId, place), CONNECT_DEADLINE_MS);
  // Of a build that has just begun the mirror may not know yet.
  if (found === null && (await deps.builds.describe(workflowId)) === null) throw notFound(workflowId);
  return found?.over ? null : (found?.position ?? 0);
}

export const buildEvents = defineStream({
  path: '/api/workflows/:workflow_id/events',
  operationId: 'workflowEvents',
  summary: 'The audit of a build as it happens: server-sent events.',
  description: `An event has the id of the history (\`<generation>.<seq>\`), its \`event_type\` as the name, and as data what the history tells of it. Events come from the mirror, which a build writes as it begins its next phase or waits: GET history may know some a moment sooner. ${RECONNECT}\n\nWhen the build is over, \`event: end\` (without an id) follows its last event and the server closes the stream; a reconnect behind the last event is answered with 204, on which a browser's EventSource stops.`,
  params: workflowParams,
  eventId: buildEventId,
  reply: z.union([liveEvent, streamEnd]),
  errors: ['not_found', 'mirror_unavailable', 'temporal_unreachable', 'too_many_streams', 'streams_exhausted'],
  statuses: { 200: 'The stream.', 204: 'The build is over, and nothing is behind the given id.' },
  subscribe: async ({ params, lastEventId }, deps) => {
    const { workflow_id: id } = params;
    const after = await begin(id, lastEventId, deps);
    return after === null ? null : (sink) => deps.live.follow({ kind: 'build', id }, after, sink);
  },
});

export const projectEvents = defineStream({
  path: '/api/workflows/project/:project_id/events',
  operationId: 'projectEvents',
  summary: 'The audit of all builds of a project as it happens: server-sent events.',
  description: `Data is that of a build's stream: \`workflow_id\` says of which build, and \`id\` is the event's id there. The id of the event itself is this stream's own. Events of one build come in their order; those of different builds mingle. The stream goes on for as long as it is read; of a project without builds it is silent. ${RECONNECT}`,
  params: projectParams,
  eventId: projectEventId,
  reply: liveEvent,
  errors: ['mirror_unavailable', 'too_many_streams', 'streams_exhausted'],
  subscribe: async ({ params, caller, lastEventId }, deps) => {
    const end = await fromMirror(() => deps.feed.end(), CONNECT_DEADLINE_MS);
    // A foreign project looks like one that has no builds.
    const topic = mayUse(caller, params.project_id) ? { kind: 'project' as const, id: params.project_id } : null;
    // An id from beyond the end is none that was ever sent: it would let events pass unseen.
    const after = Math.min(lastEventId ?? 0, end);
    return (sink) => deps.live.follow(topic, after, sink);
  },
});
