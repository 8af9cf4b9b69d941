import { isJsonObject, type Json } from '../machine/json.ts';
import type { PromptFile, PromptTurn } from './prompt-input.ts';

const isFile = (file: Json): file is { path: string; content: string } =>
  isJsonObject(file) && typeof file.path === 'string' && typeof file.content === 'string';

/**
 * The files as the answers of the conversation leave them, for those who cannot see the tree: each answer gives whole
 * files, and replaces those at the same paths. Null when none were given.
 */
export function handedOnFiles(conversation: readonly Pick<PromptTurn, 'content'>[]): PromptFile[] | null {
  const byPath = new Map<string, PromptFile>();
  for (const { content } of conversation) {
    const given: Json | undefined = isJsonObject(content) ? content.files : undefined;
    if (!Array.isArray(given)) continue;
    for (const { path, content: text } of given.filter(isFile)) byPath.set(path, { path, content: text });
  }
  return byPath.size === 0 ? null : [...byPath.values()];
}
