import { z } from 'zod';
import { phase, statusReply } from './replies.ts';

const listedBuild = statusReply
  .pick({
    workflow_id: true,
    build_id: true,
    project_id: true,
    current_state: true,
    current_role: true,
    next_role: true,
    status: true,
    progress: true,
    model: true,
    elapsed_time: true,
    created_at: true,
    updated_at: true,
    completed_at: true,
    next_expectations: true,
  })
  .extend({
    user_id: z.string().meta({ description: 'The person for whom the build is made.', examples: ['ann'] }),
    attempt: z
      .int()
      .min(0)
      .meta({
        description: 'Which run of the current phase this is, counted from 1 for the whole build.',
        examples: [1],
      }),
    simulated: z
      .boolean()
      .meta({ description: 'True when every model call of the build goes to the simulated model.' }),
  })
  .meta({ id: 'ListedBuild', description: 'A build as the mirror knows it, which may be a moment behind the build.' });

export const listReply = z
  .strictObject({
    workflows: z.array(listedBuild).meta({ description: 'Newest first.' }),
    next_cursor: z
      .string()
      .nullable()
      .meta({ description: 'The `cursor` of the next page; null on the last one.', examples: [null] }),
  })
  .meta({ id: 'ListReply' });

const count = (description: string, example: number) =>
  z
    .int()
    .min(0)
    .meta({ description, examples: [example] });

export const statsReply = z
  .strictObject({
    project_id: statusReply.shape.project_id,
    total_workflows: count('All builds of the project: each is one of completed, in_progress and failed.', 10),
    completed: count('Builds that were released.', 6),
    in_progress: count('Builds that go on or wait for a person.', 2),
    failed: count('Builds that are parked in error now, and those that were cancelled.', 2),
    average_duration: z.string().meta({
      description: 'From start to end of the completed builds, on average; `0h 0m` if there is none.',
      examples: ['2h 15m'],
    }),
    success_rate: z
      .number()
      .min(0)
      .max(100)
      .meta({
        description: '100 × completed / (completed + failed), with one decimal; 0 if there is neither.',
        examples: [75],
      }),
    most_common_failure_point: phase.nullable().meta({
      description:
        'The phase that failed most often: failing verdicts of testing and verification, and parkings of any phase, in all builds, also where the work went on. Of equals the earlier; null if none failed.',
    }),
    average_handoffs: z
      .number()
      .min(0)
      .meta({
        description: 'Handoffs per build, with one decimal; those that a reset took back do not count.',
        examples: [5.4],
      }),
  })
  .meta({ id: 'ProjectStats' });
