import { readdirSync, readFileSync } from 'node:fs';

/** What Linux counts processor time in for user space, on every platform that Node runs on. */
const TICK_MS = 10;

type Stat = Readonly<{ parent: number; cpuMs: number }>;

function statOf(pid: number): Stat | null {
  try {
    // The second field is the command in parentheses, and may itself hold anything.
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { parent: Number(fields[1]), cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS };
  } catch {
    return null;
  }
}

/** Processor time of a process and its children that live, in ms; null where there is no /proc to read it from. */
export function treeCpuMs(pid: number | null): number | null {
  const own = pid === null ? null : statOf(pid);
  if (own === null) return null;
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => statOf(Number(name)))
    .filter((stat) => stat?.parent === pid);
  return children.reduce((sum, child) => sum + (child?.cpuMs ?? 0), own.cpuMs);
}
