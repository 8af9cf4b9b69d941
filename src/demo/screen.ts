import type { WriteStream } from 'node:tty';
import { cutLine, type Line, line, paint, span } from './line.ts';

export type Screen = Readonly<{
  /** Columns to lay lines out for: the terminal's, 80 without one. */
  width(): number;
  print(lines: readonly Line[]): void;
  /** Shows what is going on now, with its seconds, below all that was printed; null when nothing is. Only on a terminal. */
  live(text: string | null): void;
  /** Something for stderr, which must not run into the live line. */
  warn(text: string): void;
  close(): void;
}>;

type Output = Pick<WriteStream, 'write'> & Partial<Pick<WriteStream, 'isTTY' | 'columns'>>;

const DEFAULT_WIDTH = 80;
/** Narrower, nothing could be laid out; wider, lines are hard to read. */
const WIDTH_LIMITS = [40, 120] as const;
const FRAMES = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏';
const FRAME_MS = 100;
const CLEAR_LINE = '\r\x1b[2K';

/** Prints lines: with colours and a live line on a terminal, plain ones elsewhere. */
export function createScreen(out: Output, err: Pick<WriteStream, 'write'>, { colours }: { colours: boolean }): Screen {
  const isTerminal = out.isTTY === true;
  // Who wants no colours wants no escape sequences at all.
  const animated = isTerminal && colours;
  let shown: { text: string; sinceMs: number } | null = null;
  let frame = 0;
  let timer: NodeJS.Timeout | undefined;
  const draw = (): void => {
    if (shown === null) return;
    frame += 1;
    const elapsed = ((performance.now() - shown.sinceMs) / 1000).toFixed(1);
    const text = line(span(`  ${FRAMES[frame % FRAMES.length]} `, 'accent'), span(`${shown.text} ${elapsed} s`, 'dim'));
    // One column stays free: a full last column makes some terminals go to the next line.
    out.write(CLEAR_LINE + paint(cutLine(text, (out.columns ?? DEFAULT_WIDTH) - 1), colours));
  };
  const above = (write: () => void): void => {
    if (shown !== null) out.write(CLEAR_LINE);
    write();
    draw();
  };
  const live = (text: string | null): void => {
    if (!animated) return;
    if (shown !== null) out.write(CLEAR_LINE);
    clearInterval(timer);
    shown = text === null ? null : { text, sinceMs: performance.now() };
    if (shown !== null) timer = setInterval(draw, FRAME_MS);
    draw();
  };
  return {
    width: () => {
      const [least, most] = WIDTH_LIMITS;
      return Math.min(most, Math.max(least, (isTerminal && out.columns) || DEFAULT_WIDTH));
    },
    print: (lines) => above(() => out.write(lines.map((one) => `${paint(one, colours)}\n`).join(''))),
    live,
    warn: (text) => above(() => err.write(`${text}\n`)),
    close: () => live(null),
  };
}
