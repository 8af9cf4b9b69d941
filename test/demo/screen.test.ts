import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { line, span } from '../../src/demo/line.ts';
import { createDemoLog } from '../../src/demo/log.ts';
import { createScreen } from '../../src/demo/screen.ts';

function output(isTTY: boolean, columns?: number) {
  const written: string[] = [];
  const write = (text: string | Uint8Array): boolean => written.push(String(text)) > 0;
  return { written, text: () => written.join(''), stream: { isTTY, ...(columns ? { columns } : {}), write } };
}

const HELLO = line(span('hello', 'good'), ' you');

describe('the screen', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it.each([
    ['without a terminal', false],
    ['on a terminal whose user wants no colours', true],
  ])('prints plain lines %s, and nothing that is live', (_, isTTY) => {
    const [out, err] = [output(isTTY), output(false)];
    const screen = createScreen(out.stream, err.stream, { colours: false });
    screen.live('working');
    vi.advanceTimersByTime(1000);
    screen.print([HELLO, []]);
    screen.close();
    expect(out.text()).toBe('hello you\n\n');
  });

  it('shows what is going on below what was printed, and takes it away at the end', () => {
    const [out, err] = [output(true, 40), output(false)];
    const screen = createScreen(out.stream, err.stream, { colours: true });
    screen.live('working');
    expect(out.text()).toContain('working');
    screen.print([HELLO]);
    screen.warn('careful');
    screen.close();
    expect(out.text()).toContain('\r\u001b[2K\u001b[32mhello\u001b[39m you\n');
    expect(err.text()).toBe('careful\n');
    expect(out.written.at(-1)).toBe('\r\u001b[2K');
    const count = out.written.length;
    vi.advanceTimersByTime(1000);
    expect(out.written).toHaveLength(count);
  });

  it('keeps the live line within the terminal', () => {
    const [out, err] = [output(true, 20), output(false)];
    const screen = createScreen(out.stream, err.stream, { colours: true });
    screen.live('x'.repeat(100));
    screen.close();
    expect(out.text()).not.toContain('x'.repeat(18));
  });

  it.each([
    [false, undefined, 80],
    [true, 100, 100],
    [true, 500, 120],
    [true, 10, 40],
    [true, undefined, 80],
  ])('lays out for a sensible width (terminal %s of %s columns: %i)', (isTTY, columns, width) => {
    expect(createScreen(output(isTTY, columns).stream, output(false).stream, { colours: false }).width()).toBe(width);
  });
});

describe('the log of the demo', () => {
  it('tells warnings as one short line that is safe to print, and nothing less', () => {
    const told: string[] = [];
    const log = createDemoLog((text) => told.push(text));
    log.info('not worth it');
    log.child({ from: 'temporal' }).warn({ error: 'no\n\u001b[31mdisk' }, 'flush failed');
    log.error({ err: new Error('gone') }, 'request failed');
    log.error('x'.repeat(1000));
    expect(told.slice(0, 2)).toEqual(['warning: flush failed: no disk', 'warning: request failed: gone']);
    expect(told[2]?.length).toBe(400);
  });
});
