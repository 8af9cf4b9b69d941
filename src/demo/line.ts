import { styleText } from 'node:util';
import { cut, widthOf, wrap } from './text.ts';

type Style = 'plain' | 'bold' | 'dim' | 'good' | 'bad' | 'back' | 'accent';

/** A piece of a line in one style. Its text is clean: what comes from outside went through `clean`. */
type Span = Readonly<{ text: string; style: Style }>;

/** One line of output, without its colours: they are a matter of where it is printed. */
export type Line = readonly Span[];

const FORMATS = {
  plain: [],
  bold: ['bold'],
  dim: ['dim'],
  good: ['green'],
  bad: ['red'],
  back: ['yellow'],
  accent: ['bold', 'cyan'],
} as const satisfies Record<Style, readonly Parameters<typeof styleText>[0][]>;

export const span = (text: string, style: Style = 'plain'): Span => ({ text, style });
export const line = (...spans: readonly (Span | string)[]): Line =>
  spans.map((part) => (typeof part === 'string' ? span(part) : part));
export const BLANK: Line = [];

/** Cuts a line to a width. */
export function cutLine(given: Line, width: number): Line {
  let left = width;
  return given.flatMap((part) => {
    const text = cut(part.text, left);
    left -= widthOf(text);
    return text === '' ? [] : [{ ...part, text }];
  });
}

export function paint(given: Line, colours: boolean): string {
  if (!colours)
    return given
      .map(({ text }) => text)
      .join('')
      .trimEnd();
  return given.map(({ text, style }) => styled(text, style)).join('');
}

const styled = (text: string, style: Style): string =>
  style === 'plain' ? text : styleText([...FORMATS[style]], text, { validateStream: false });

/** A text behind a lead (`  ✓ `), wrapped so that its further lines begin where its first did. */
export function block(
  lead: Span,
  text: string,
  style: Style,
  { width, maxLines }: { width: number; maxLines: number },
) {
  const indent = widthOf(lead.text);
  return wrap(text, Math.max(10, width - indent), maxLines).map((part, index) =>
    cutLine(line(index === 0 ? lead : ' '.repeat(indent), span(part, style)), width),
  );
}
