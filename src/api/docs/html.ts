/** Markup that may stand in a page as it is. `html` makes it, so that no text gets into a page unescaped. */
export type Html = Readonly<{ markup: string }>;

type Part = Html | string | number | readonly Html[];

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escapeText = (text: string): string => text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');

function markupOf(part: Part): string {
  if (typeof part === 'object') return 'markup' in part ? part.markup : part.map(({ markup }) => markup).join('');
  return escapeText(String(part));
}

/** Markup from a template; texts in it are escaped, for use between tags and in quoted attributes. */
export function html(fixed: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { markup: fixed.reduce((markup, text, index) => `${markup}${markupOf(parts[index - 1] ?? '')}${text}`) };
}

export const NOTHING: Html = html``;

/** Markup of each item, with something between them. */
export const join = (items: readonly Html[], between: string): Html =>
  items.reduce((joined, item, index) => (index === 0 ? item : html`${joined}${between}${item}`), NOTHING);

/** A path that may go on in the next line behind each of its slashes. */
export const breakable = (path: string): Html => html`${path.split(/(?<=\/)/).map((part) => html`${part}<wbr>`)}`;
