import { isJsonObject, type JsonObject } from '../../machine/json.ts';
import { PHASES, type Phase } from '../../machine/states.ts';
import type { ChatMessage } from './chat-request.ts';
import { namedPaths, readSections, shownFiles } from './sections.ts';

/** What the orchestrator's own run of the tests said. */
export type TestRun = Readonly<{
  measured: boolean;
  passed: boolean;
  tests: number;
  coverage: number;
  failures: readonly Readonly<{ name: string; reason: string }>[];
  /** The tests that ran, where the prompt lists them. */
  names: readonly string[];
}>;

export type PhasePrompt = Readonly<{
  phase: Phase;
  attempt: number;
  /** A string stays itself; an object is its JSON text. */
  requirements: string;
  earlier: Readonly<Partial<Record<Phase, JsonObject>>>;
  /** The reasons as they were shown, or '' when the work was not sent back. */
  sentBack: string;
  testRun: TestRun | null;
  /** The numbered success criteria; none in other phases than verification. */
  criteria: readonly string[];
  /** The files that are shown, by path; in verification with numbered lines. */
  files: ReadonlyMap<string, string>;
  /** All files that are named, shown or not. */
  paths: ReadonlySet<string>;
}>;

const PHASE_LINE = new RegExp(`^# Phase: (${PHASES.join('|')})\\s*$`, 'm');

/** Reads the newest phase prompt of a conversation (a request for a repair may follow it); null when there is none. */
export function readPhasePrompt(messages: readonly ChatMessage[]): PhasePrompt | null {
  const message = messages.findLast(({ role, content }) => role === 'user' && PHASE_LINE.test(content));
  const text = message?.content ?? '';
  const phase = PHASES.find((name) => name === PHASE_LINE.exec(text)?.[1]);
  if (!phase) return null;
  const requirements = jsonBlocks(text, '## Requirements')[0] ?? '';
  const sections = readSections(text);
  return {
    phase,
    attempt: Number(/^# Attempt: (\d+)\s*$/m.exec(text)?.[1] ?? 1),
    requirements: typeof requirements === 'string' ? requirements : JSON.stringify(requirements),
    earlier: readEarlier(text),
    sentBack: /^## Sent back\n([\s\S]*?)(?=^## |(?![\s\S]))/m.exec(text)?.[1]?.trim() ?? '',
    // The last one is the orchestrator's: a reason shown before it may quote anything.
    testRun: readTestRun(jsonBlocks(text, '## Test run').at(-1)),
    criteria: readCriteria(jsonBlocks(text, '## Success criteria')[0]),
    files: shownFiles(sections),
    paths: namedPaths(sections),
  };
}

/** The strings of a list, or null when it is no list of at least one string. */
export function stringsOf(value: unknown): readonly string[] | null {
  if (!Array.isArray(value)) return null;
  const strings = value.filter((item) => typeof item === 'string');
  return strings.length > 0 ? strings : null;
}

function readEarlier(text: string): PhasePrompt['earlier'] {
  const earlier: Partial<Record<Phase, JsonObject>> = {};
  for (const phase of PHASES) {
    const result = jsonBlocks(text, `### ${phase}`)[0];
    if (isJsonObject(result)) earlier[phase] = result;
  }
  return earlier;
}

function readTestRun(block: unknown): TestRun | null {
  if (!isJsonObject(block)) return null;
  const failures = Array.isArray(block.failures) ? block.failures.filter(isJsonObject) : [];
  return {
    measured: block.measured === true,
    passed: block.passed === true,
    tests: typeof block.tests === 'number' ? block.tests : 0,
    coverage: typeof block.coverage === 'number' ? block.coverage : 0,
    failures: failures.map(({ name, reason }) => ({ name: String(name), reason: String(reason) })),
    names: stringsOf(block.names) ?? [],
  };
}

const readCriteria = (block: unknown): string[] =>
  Array.isArray(block) ? block.filter(isJsonObject).map(({ criterion }) => String(criterion)) : [];

/** Text inside JSON cannot close a fence: its line breaks are escaped. */
function jsonBlocks(text: string, heading: string): unknown[] {
  const blocks: unknown[] = [];
  for (const [, json = ''] of text.matchAll(
    new RegExp(`^${heading}\\s*?\\n+\`\`\`json\\n([\\s\\S]*?)\\n\`\`\`$`, 'gm'),
  )) {
    try {
      blocks.push(JSON.parse(json));
    } catch {
      // A block that is not JSON says nothing.
    }
  }
  return blocks;
}
