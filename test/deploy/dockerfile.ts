import { readFileSync } from 'node:fs';
import { PROJECT_DIR } from './compose-file.ts';

export type Step = Readonly<{ instruction: string; text: string }>;
export type Stage = Readonly<{ base: string; name: string | null; steps: readonly Step[] }>;

const INSTRUCTION = /^([A-Z]+)\s+([\s\S]*)$/;
const FROM = /^(\S+)(?:\s+AS\s+(\S+))?$/i;

/** The stages of the Dockerfile with their instructions, comments dropped and continued lines joined. */
export function readDockerfile(): Stage[] {
  const lines = readFileSync(`${PROJECT_DIR}Dockerfile`, 'utf8')
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const stages: { base: string; name: string | null; steps: Step[] }[] = [];
  for (const line of lines) {
    const [, instruction = '', text = ''] = INSTRUCTION.exec(line) ?? [];
    if (instruction === '') throw new Error(`"${line}" is no instruction of a Dockerfile`);
    const [, base = '', name = null] = (instruction === 'FROM' && FROM.exec(text)) || [];
    if (base !== '') stages.push({ base, name, steps: [] });
    else stages.at(-1)?.steps.push({ instruction, text });
  }
  return stages;
}

/** `A=1 B=2` of ENV as pairs. */
export const environmentOf = (text: string): [string, string][] =>
  text.split(/\s+/).map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]);

/** Variables that containers of the image have. */
export function imageEnvironment(): Record<string, string> {
  const steps = readDockerfile().at(-1)?.steps ?? [];
  const pairs = steps.filter(({ instruction }) => instruction === 'ENV').flatMap(({ text }) => environmentOf(text));
  return Object.fromEntries(pairs);
}
