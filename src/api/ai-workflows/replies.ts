import { z } from 'zod';
import { isComplete, newState, nextRole, phase, previousState, state, workflowId } from '../replies.ts';

const nextActionText = z.string().meta({
  description: 'What to do next, in words, with the call that does it. A text also when nothing is left to do.',
  examples: ['Ask for the prompt of planning with POST /api/ai-workflows/get-ai-prompt/…'],
});

export const initializeReply = z
  .strictObject({
    workflow_id: workflowId,
    initial_state: state.meta({ description: 'Where every build begins.' }),
    system_prompt: z.string().meta({
      description: 'The system prompt of the first role, with the calls that hand its result on.',
      examples: ['You are the q_assistant of a software build, working on its discovery phase.'],
    }),
    next_action: nextActionText,
  })
  .meta({ id: 'InitializeReply' });

export const completePhaseReply = z
  .strictObject({
    workflow_id: workflowId,
    previous_state: previousState,
    new_state: newState,
    next_role: nextRole,
    next_action: nextActionText,
    is_complete: isComplete,
  })
  .meta({ id: 'CompletePhaseReply' });

export const aiStatusReply = z
  .strictObject({
    workflow_id: workflowId,
    current_state: state.meta({ examples: ['planning'] }),
    progress: z
      .int()
      .min(0)
      .max(100)
      .meta({ description: 'Percent: 100 × completed phases / 6, rounded.', examples: [17] }),
    completed_phases: z.array(phase).meta({ description: 'Phases whose result is in the build, in order.' }),
    next_role: nextRole,
    is_complete: z.boolean().meta({ description: 'True when the build is complete.' }),
  })
  .meta({ id: 'AiStatus' });

const message = z
  .strictObject({
    role: z.enum(['system', 'user', 'assistant']).meta({ description: 'Who speaks, as model APIs name it.' }),
    content: z
      .string()
      .meta({ description: 'What is said.', examples: ['You are the q_assistant of a software build.'] }),
  })
  .meta({ id: 'PromptMessage' });

export const promptReply = z
  .strictObject({
    model: z.string().meta({
      description: "The model that would be asked: the build's own, else the role's by configuration.",
      examples: ['gpt-4'],
    }),
    messages: z.array(message).meta({
      description:
        "The role's system prompt, the conversation of the build so far, and the phase's own message with requirements, earlier results and, after a send-back, the reasons.",
    }),
    temperature: z.number().meta({ description: 'Low, because answers are JSON and code.', examples: [0.2] }),
    max_tokens: z
      .int()
      .meta({ description: 'As much as every model that a start may name can answer.', examples: [4096] }),
    top_p: z.number().meta({ description: 'No less likely word is left out.', examples: [1] }),
  })
  .meta({ id: 'AiPrompt' });
