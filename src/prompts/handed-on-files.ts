import { isJsonObject, type Json } from '../machine/json.ts';
import type { PromptFile, PromptTurn } from './prompt-input.ts';

const isFile = (file: Json): file is { path: string; content: string } =>
  isJsonObject(file) && typeof file.path === 'string' && typeof file.content === 'string';

/**
 * The files as the answers of the conversation leave them, for those who cannot see the tree: each answer gives whole
 * files, also where it edited them, replaces those at the same paths, and may delete some. Null when none are left.
 */
export function handedOnFiles(conversation: readonly Pick<PromptTurn, 'content'>[]): PromptFile[] | null {
  const byPath = new Map<string, PromptFile>();
  for (const { content } of conversation) {
    if (!isJsonObject(content)) continue;
    const { files: given, deleted_files: gone } = content;
    if (Array.isArray(gone)) for (const path of gone) byPath.delete(String(path));
    if (!Array.isArray(given)) continue;
    for (const { path, content: text } of given.filter(isFile)) byPath.set(path, { path, content: text });
  }
  return byPath.size === 0 ? null : [...byPath.values()];
}
