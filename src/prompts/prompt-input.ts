import type { Json, JsonObject } from '../machine/json.ts';
import type { Phase, Role, State } from '../machine/states.ts';

export type PhaseContent = Readonly<{ phase: Phase; result: Json }>;

export type PromptTurn = Readonly<{
  phase: Phase;
  attempt: number;
  role: Role;
  /** What was handed on. */
  content: Json;
  /** What an outside agent said beside that. */
  aiResponse?: Json;
}>;

export type PromptFeedback = Readonly<{
  kind: 'sent_back' | 'retry' | 'rollback';
  from: State;
  attempt: number;
  reason: string;
  rejected: readonly PhaseContent[];
}>;

export type PromptFile = Readonly<{ path: string; content: string }>;

/** A file of the tree by its name alone; `bytes` is its size. */
export type PromptPath = Readonly<{ path: string; bytes: number }>;

/** All that one prompt is made from, with every reference resolved. */
export type PromptInput = Readonly<{
  workflowId: string;
  buildId: string;
  phase: Phase;
  attempt: number;
  driver: 'llm' | 'external';
  /** Percent; testing below it is rejected. */
  coverageMin: number;
  requirements: Json;
  earlierResults: readonly PhaseContent[];
  /** Oldest first. */
  conversation: readonly PromptTurn[];
  feedback: readonly PromptFeedback[];
  /** The files of the tree that are shown, as they stand; null in phases that have none. */
  files: readonly PromptFile[] | null;
  /** Every file of the tree, where `files` are not all of it; else null. */
  tree: readonly PromptPath[] | null;
  /** What the build changed in the code that it began with, as a unified diff; null where all of the tree is new. */
  diff: string | null;
  /** The orchestrator's own run of the tests; null when it made none. */
  testRun: JsonObject | null;
}>;

export type Message = Readonly<{ role: 'system' | 'user' | 'assistant'; content: string }>;
