import { type Html, html } from './html.ts';

/** Text with `code` in it. */
export function inline(text: string): Html {
  const parts = text.split(/`([^`]+)`/);
  return html`${parts.map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : html`${part}`))}`;
}

const ITEM = /^- /;

function block(text: string): Html {
  const lines = text.split('\n');
  if (!lines.every((line) => ITEM.test(line))) return html`<p>${inline(text)}</p>`;
  return html`<ul>${lines.map((line) => html`<li>${inline(line.replace(ITEM, ''))}</li>`)}</ul>`;
}

/** The little of CommonMark that descriptions use: paragraphs, lists and `code`. All else is text. */
export const prose = (text: string): Html => html`${text.split('\n\n').map(block)}`;
