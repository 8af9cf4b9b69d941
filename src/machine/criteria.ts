import { isJsonObject, isText, type Json } from './json.ts';

/** Fields under which roles name a criterion that is an object; the first that is there counts. */
const NAMES = ['criterion', 'description', 'text', 'title', 'name', 'requirement'] as const;

/** The words of one success criterion: a text is its own, an object has them in a field, or is shown as it is. */
function wordsOf(item: Json): string {
  if (isText(item)) return item.trim();
  if (!isJsonObject(item)) return item === null || typeof item === 'string' ? '' : JSON.stringify(item);
  const named = NAMES.map((name) => item[name]).find(isText);
  return named?.trim() ?? JSON.stringify(item);
}

/** Equal for texts that differ in white space, case and a full stop at the end alone. */
export const sameWords = (text: string): string =>
  text.normalize('NFC').replace(/\s+/g, ' ').trim().replace(/\.$/, '').toLowerCase();

function listed(result: Json | undefined): string[] {
  const given = isJsonObject(result) ? result.success_criteria : undefined;
  const items: readonly Json[] = Array.isArray(given) ? given : isText(given) ? [given] : [];
  const seen = new Set<string>();
  return items.map(wordsOf).filter((text) => {
    const isNew = text !== '' && !seen.has(sameWords(text));
    seen.add(sameWords(text));
    return isNew;
  });
}

/**
 * The success criteria of a build, which verification answers one by one: planning's, else discovery's. The first has
 * number 1; one that is listed twice counts once.
 */
export function criteriaOf(results: Readonly<{ planning?: Json; discovery?: Json }>): readonly string[] {
  const planned = listed(results.planning);
  return planned.length > 0 ? planned : listed(results.discovery);
}
