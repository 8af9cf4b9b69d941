import { printable } from './printable.ts';
import type { ToolCall } from './tool-call.ts';

/** More calls in one answer are dropped: they would not be answered anyway. */
const CALLS_LIMIT = 32;
const NAME_LIMIT_CHARS = 100;

/** A call while its pieces arrive; `index` is how the provider counts it, null where it does not. */
export type ToolDraft = { index: number | null; id: string; name: string; arguments: string };

type Piece = Readonly<{ index?: unknown; id?: unknown; function?: { name?: unknown; arguments?: unknown } | null }>;

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The call that a piece goes on with. Some servers count all calls 0 and tell them apart by their ids alone. */
function draftOf(drafts: readonly ToolDraft[], index: number | null, id: string): ToolDraft | undefined {
  const found = index === null ? drafts.at(-1) : drafts.findLast((draft) => draft.index === index);
  return found !== undefined && id !== '' && found.id !== '' && found.id !== id ? undefined : found;
}

/**
 * Adds the tool calls of one chunk: a call begins with its id and name, and its arguments follow in pieces. In a completion
 * that is sent whole each entry is a call of its own. Gives how many characters of arguments were added.
 */
export function addToolPieces(drafts: ToolDraft[], given: unknown, whole: boolean): number {
  if (!Array.isArray(given)) return 0;
  let added = 0;
  for (const piece of given as readonly (Piece | null)[]) {
    if (typeof piece !== 'object' || piece === null) continue;
    const index = typeof piece.index === 'number' ? piece.index : null;
    const id = textOf(piece.id);
    let draft = whole ? undefined : draftOf(drafts, index, id);
    if (draft === undefined) {
      if (drafts.length >= CALLS_LIMIT) continue;
      draft = { index, id: '', name: '', arguments: '' };
      drafts.push(draft);
    }
    const text = textOf(piece.function?.arguments);
    draft.id ||= id;
    draft.name = draft.name || printable(textOf(piece.function?.name), NAME_LIMIT_CHARS);
    draft.arguments += text;
    added += text.length;
  }
  return added;
}

/** The calls of an answer that has ended. One without an id gets one, since its answer must name it. */
export const toolCallsOf = (drafts: readonly ToolDraft[]): ToolCall[] =>
  drafts.map(({ id, name, arguments: given }, index) => ({ id: id || `call_${index}`, name, arguments: given }));
