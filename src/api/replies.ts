import { z } from 'zod';
import { ARTIFACT_KINDS, ARTIFACT_MEDIA_TYPES } from '../artifacts/release-manifest.ts';
import { STATUSES } from '../machine/build.ts';
import { EVENT_TYPES } from '../machine/events.ts';
import { PHASES, ROLES, STATES } from '../machine/states.ts';

/*
 * An `id` makes a schema a named component of the API's description; descriptions and examples are what a frontend
 * developer builds on.
 */

export const state = z.enum(STATES).meta({
  id: 'State',
  description: 'Where a build is: a phase, a handoff between two roles, `complete`, or `error`, where it is parked.',
});
const role = z.enum(ROLES).meta({ id: 'Role', description: 'One of the five who build.' });
export const phase = z
  .enum(PHASES)
  .meta({ id: 'Phase', description: 'One of the six pieces of work, in their order.' });
const status = z.enum(STATUSES).meta({
  id: 'Status',
  description: "What a build's life is: `error` waits for an operator, `complete` and `cancelled` are over.",
});
const timestamp = z.iso.datetime().meta({
  id: 'Timestamp',
  type: 'string',
  format: 'date-time',
  description: 'A moment in UTC.',
  examples: ['2026-01-02T03:04:05.000Z'],
});
const json = z.record(z.string(), z.unknown()).meta({ type: 'object', examples: [{}] });

export const workflowId = z.string().meta({
  description: 'The id of the build: every other call names the build by it.',
  examples: ['e5689e03-f1ee-5182-9cfb-fdaeeb896567'],
});
const stateDescription = z.string().meta({
  description: 'Where the build is, in one sentence for people.',
  examples: ['planning: Plan the components, the tests and the success criteria; 1 of 6 phases done (17 %)'],
});
export const nextRole = role.nullable().meta({
  description: 'Who acts next: of a handoff the receiver; null in error and when the build is over.',
});
export const previousState = state.meta({ description: 'The state before the call.', examples: ['discovery'] });
export const newState = state.meta({
  description: 'The state that the call itself led to, before any acknowledgement that follows by itself.',
  examples: ['planning'],
});
export const isComplete = z.boolean().meta({ description: 'True when the build is complete with this call.' });
const givenReason = z
  .string()
  .meta({ description: 'The reason as it was given.', examples: ['The plan is too large'] });
const doneAt = timestamp.meta({ description: 'When the call took effect.' });

export const startReply = z
  .strictObject({
    workflow_id: workflowId,
    build_id: z.string().meta({ description: 'The build_id of the start.', examples: ['shop-42'] }),
    initial_state: state.meta({ description: 'Where every build begins.' }),
    status: z.literal('started').meta({ description: 'Also when the same start was made before.' }),
    current_role: role.meta({ description: 'The owner of the first phase.' }),
    next_role: role.meta({ description: 'Who acts first.' }),
    instructions: z.string().meta({
      description: 'Who drives the first phase, and the call that takes it over, in words for people.',
      examples: ['The model drives discovery as q_assistant.'],
    }),
  })
  .meta({ id: 'StartReply' });

export const chatStartReply = z
  .strictObject({ workflow_id: workflowId, state: state.meta({ description: 'Where every build begins.' }) })
  .meta({ id: 'ChatStartReply' });

export const advanceReply = z
  .strictObject({
    workflow_id: workflowId,
    previous_state: previousState,
    new_state: newState,
    next_role: nextRole,
    handoff_data: json.meta({ description: 'What the completed phase passed on; `{}` when nothing was handed on.' }),
    is_complete: isComplete,
    state_description: stateDescription,
  })
  .meta({ id: 'AdvanceReply' });

export const retryReply = z
  .strictObject({
    workflow_id: workflowId,
    retry_requested: z.literal(true),
    previous_state: previousState.meta({ examples: ['planning'] }),
    new_state: newState.meta({ examples: ['discovery'] }),
    reason: givenReason,
    timestamp: doneAt,
  })
  .meta({ id: 'RetryReply' });

export const rollbackReply = z
  .strictObject({
    workflow_id: workflowId,
    rollback_successful: z.literal(true),
    previous_state: previousState.meta({ examples: ['testing'] }),
    new_state: newState.meta({ description: 'The phase that the build is taken back to.', examples: ['planning'] }),
    reason: givenReason,
    rolled_back_by: z.string().meta({
      description: "The caller: the API key's name, or `operator` where there are no keys.",
      examples: ['operator'],
    }),
    timestamp: doneAt,
  })
  .meta({ id: 'RollbackReply' });

export const abortReply = z
  .strictObject({
    workflow_id: workflowId,
    aborted: z.literal(true),
    previous_state: previousState,
    status: status.meta({ examples: ['cancelled'] }),
    reason: givenReason,
    timestamp: doneAt,
  })
  .meta({ id: 'AbortReply' });

const seq = z
  .int()
  .min(1)
  .meta({ description: 'The number of its event: events of a build count from 1 without gap.' });
const undone = z.boolean().meta({
  description: 'True when a reset of the workflow has taken the row back; it stays in the audit.',
  examples: [false],
});

const handoff = z
  .strictObject({
    seq,
    from_role: role,
    to_role: role.meta({ examples: ['code_writer'] }),
    from_state: state.meta({ examples: ['planning'] }),
    to_state: state.meta({ examples: ['handoff_to_coder'] }),
    timestamp,
    data_transferred: json.meta({
      description:
        'What was passed on. Of a result over 4 kB an extract, with `artifact` {sha256, bytes, preview} as the reference to the whole.',
      examples: [{ plan: 'one function' }],
    }),
    notes: z.string().nullable().meta({ description: 'Of work that was sent back: the reason.' }),
    undone,
  })
  .meta({ id: 'Handoff', description: 'What one phase passed on to the next. A build that is never sent back has 5.' });
export type HandoffReply = z.infer<typeof handoff>;

const event = z
  .strictObject({
    id: z.string().meta({
      description: '`<generation>.<seq>`: a reset of the workflow begins the next generation.',
      pattern: '^\\d+\\.\\d+$',
      examples: ['1.1'],
    }),
    seq,
    event_type: z
      .string()
      .meta({ id: 'EventType', type: 'string', enum: [...EVENT_TYPES], description: 'What happened.' }),
    triggered_by: z.string().meta({
      type: 'string',
      enum: [...ROLES, 'operator', 'system'],
      description: 'Who set it off: a role, a person or the product itself.',
    }),
    event_data: json.meta({
      description: 'Facts of the event; where a person set it off, `actor` is their name.',
      examples: [{ from: 'discovery', to: 'planning' }],
    }),
    timestamp,
    undone,
  })
  .meta({ id: 'AuditEvent', description: 'One line of the audit trail.' });
export type EventReply = z.infer<typeof event>;

/** `data` of a server-sent event. */
export const liveEvent = z
  .strictObject({
    workflow_id: workflowId,
    ...event.shape,
    handoff: handoff.nullable().meta({ description: 'What the event passed on; null where it passed on nothing.' }),
  })
  .meta({ id: 'LiveEvent', description: 'One line of the audit trail, as it came to be.' });
export type LiveEvent = z.infer<typeof liveEvent>;

/** `data` of the event `end`, the last one of a build's stream. */
export const streamEnd = z
  .strictObject({ workflow_id: workflowId, status: status.meta({ examples: ['complete'] }) })
  .meta({ id: 'StreamEnd', description: 'The build is over, and all of its events have been sent.' });

export const historyReply = z
  .strictObject({
    workflow_id: workflowId,
    handoff_count: z
      .int()
      .min(0)
      .meta({ description: 'Handoffs of this page.', examples: [1] }),
    total_handoffs: z
      .int()
      .min(0)
      .meta({ description: 'All handoffs of the build.', examples: [5] }),
    handoffs: z.array(handoff).meta({ description: 'Oldest first.' }),
    events: z.array(event).meta({ description: 'Oldest first.' }),
    next_cursor: z
      .string()
      .nullable()
      .meta({
        description: 'The `cursor` of the next page of both lists; null when there is none now.',
        examples: [null],
      }),
  })
  .meta({ id: 'HistoryReply' });

/** Of fields that only the workflow or the mirror can tell. */
const unknownFromTemporal = 'Null when `source` is `temporal`.';

const progress = z
  .strictObject({
    percentage: z
      .int()
      .min(0)
      .max(100)
      .meta({ description: '100 × completed / total, rounded.', examples: [17] }),
    completed: z
      .int()
      .min(0)
      .meta({ description: 'Phases whose result is in the build.', examples: [1] }),
    total: z.int().meta({ description: 'All phases.', examples: [PHASES.length] }),
  })
  .meta({ id: 'Progress', description: 'How far the build is, counted in phases.' });

const nextExpectations = z
  .strictObject({
    role: z
      .enum([...ROLES, 'operator'])
      .nullable()
      .meta({ description: 'Who is to act: in error `operator`; null when the build is over.' }),
    task: z
      .string()
      .meta({ description: 'What is to be done; in error the reason for the parking.', examples: ['Plan'] }),
    deadline: timestamp
      .nullable()
      .meta({ description: 'End of the active time that is left; null where a person is waited for.' }),
  })
  .meta({ id: 'NextExpectations', description: 'What happens next, and who does it.' });

const release = z
  .strictObject({
    version: z
      .string()
      .nullable()
      .meta({ description: 'The version that the release manager chose.', examples: ['1.0.0'] }),
    tag: z
      .string()
      .nullable()
      .meta({ description: "The git tag in the build's repository.", examples: ['release/1.0.0-a1'] }),
    manifest_sha256: z.string().meta({ description: 'Of `release.json`.', examples: ['0'.repeat(64)] }),
  })
  .meta({ id: 'Release', description: 'What a complete build released.' });

export const statusReply = z
  .strictObject({
    workflow_id: workflowId,
    build_id: z.string().meta({ description: 'The build_id of the start.', examples: ['shop-42'] }),
    project_id: z.string().meta({ description: 'The project of the build.', examples: ['shop'] }),
    current_state: state.meta({ examples: ['planning'] }),
    current_role: role.meta({ description: 'The owner of the state; in error of the phase that failed.' }),
    next_role: nextRole,
    status,
    state_description: stateDescription,
    progress,
    completed_phases: z.array(phase).meta({ description: 'Phases whose result is in the build, in order.' }),
    attempt: z
      .int()
      .nullable()
      .meta({
        description: `Which run of the current phase this is, counted from 1 for the whole build. ${unknownFromTemporal}`,
        examples: [1],
      }),
    driver: z
      .enum(['llm', 'external'])
      .nullable()
      .meta({
        description: `Who does the current phase: a model, or a person or an outside agent. ${unknownFromTemporal}`,
      }),
    simulated: z
      .boolean()
      .nullable()
      .meta({
        description: `True when no provider is configured and every model call goes to the simulated model. ${unknownFromTemporal}`,
      }),
    model: z
      .string()
      .nullable()
      .meta({
        description: 'The model of the current role, also where a person acts for it; null where it is not known.',
        examples: ['gpt-4'],
      }),
    tokens: z
      .number()
      .nullable()
      .meta({
        description: `Tokens that the build has used so far. ${unknownFromTemporal}`,
        examples: [1234],
      }),
    handoff_history: z.array(handoff).meta({ description: 'Oldest first, without those that a reset took back.' }),
    handoff_history_complete: z.boolean().meta({
      description: 'False when the mirror does not answer and rows are missing, and when there are more than 500.',
    }),
    elapsed_time: z.string().meta({ description: 'From the start to now or to the end.', examples: ['2h 15m'] }),
    created_at: timestamp,
    updated_at: timestamp,
    completed_at: timestamp.nullable().meta({ description: 'Null until the build is complete.' }),
    release: release.nullable().meta({
      description: `The release of a build that is complete and made one; its downloads are those of GET artifacts. ${unknownFromTemporal}`,
    }),
    next_expectations: nextExpectations,
    source: z.enum(['workflow', 'mirror', 'temporal']).meta({
      description:
        'Who told: the workflow itself; the mirror, when the build is over or no worker answers in time; Temporal, when the mirror does not know the build yet.',
    }),
  })
  .meta({ id: 'BuildStatus' });

export const artifactsReply = z
  .strictObject({
    workflow_id: workflowId,
    release: release.nullable().meta({ description: 'The release that the build has now; null when it has none.' }),
    reason: z
      .string()
      .nullable()
      .meta({ description: 'Why there is no release, in a sentence for people.', examples: [null] }),
    artifacts: z
      .array(
        z
          .strictObject({
            name: z.string().meta({ description: 'Its name as a file.', examples: ['shop-42-1.0.0.tar.gz'] }),
            kind: z.enum(ARTIFACT_KINDS).meta({ description: 'What it is.' }),
            media_type: z.enum(ARTIFACT_MEDIA_TYPES).meta({ description: 'The Content-Type with which it is sent.' }),
            bytes: z
              .int()
              .min(0)
              .meta({ description: 'Its size.', examples: [2048] }),
            sha256: z
              .string()
              .meta({ description: 'Of the whole; the `ETag` is made of it.', examples: ['0'.repeat(64)] }),
            url: z.string().meta({
              description: 'Its address on this server.',
              examples: ['/api/workflows/e5689e03-f1ee-5182-9cfb-fdaeeb896567/artifacts/shop-42-1.0.0.tar.gz'],
            }),
          })
          .meta({ id: 'Artifact', description: 'One download of a release.' }),
      )
      .meta({ description: 'The downloads; empty when there is no release.' }),
  })
  .meta({ id: 'ArtifactsReply' });
