import { type Program, parse, type Token } from 'acorn';
import { type Hollow, hollowedProgram } from './hollow-ast.mjs';

/** Of one file: parsing more would hold up all else that the worker does, its heartbeats included. */
const PARSED_LIMIT_CHARS = 1_000_000;

/** JavaScript that does nothing, as `hollowedProgram`; null also when it cannot be parsed, or is too long for that. */
export function hollowedCode(text: string, gives: Hollow): Readonly<{ text: string; functions: number }> | null {
  const program = parsed(text);
  return program === null ? null : hollowedProgram(text, program, gives);
}

/** Lines with code on them: neither blank, nor comment. Null when the text cannot be parsed, or is too long for that. */
export function codeLines(text: string): ReadonlySet<number> | null {
  const tokens: Token[] = [];
  if (parsed(text, tokens) === null) return null;
  const lines = new Set<number>();
  for (const { loc, type } of tokens) {
    if (type.label === 'eof' || !loc) continue;
    for (let line = loc.start.line; line <= loc.end.line; line += 1) lines.add(line);
  }
  return lines;
}

function parsed(text: string, onToken: Token[] = []): Program | null {
  if (text.length > PARSED_LIMIT_CHARS) return null;
  const options = { ecmaVersion: 'latest', allowHashBang: true, locations: true, onToken } as const;
  for (const sourceType of ['module', 'script'] as const) {
    try {
      onToken.length = 0;
      return parse(text, { ...options, sourceType, allowReturnOutsideFunction: sourceType === 'script' });
    } catch {
      // Not of this kind; or code so deep that it exhausts the stack.
    }
  }
  return null;
}
