import type { BuildSpec, Content } from '../machine/build.ts';

/** The server takes 400 bytes for a summary and 20,000 for details; a line of the list shows less. */
const SUMMARY_LIMIT_BYTES = 200;

/** Cuts at a character's end, so that the text stays valid UTF-8. */
function clipBytes(text: string, limitBytes: number): string {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= limitBytes) return text;
  let end = limitBytes - 3;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return `${bytes.subarray(0, end).toString('utf8')}…`;
}

const oneLine = (text: string): string => text.replace(/[\p{Cc}\s]+/gu, ' ').trim();

function wordsOf(content: Content): string {
  if (content.kind === 'artifact') return oneLine(content.ref.preview);
  return oneLine(typeof content.value === 'string' ? content.value : JSON.stringify(content.value));
}

/** The build's line in the list of workflows: its project and the first words of its requirements. */
export const summaryOf = (spec: BuildSpec): string =>
  clipBytes(`${oneLine(spec.projectId)}: ${wordsOf(spec.requirements)}`, SUMMARY_LIMIT_BYTES);

/** What a start fixed, for the head of the workflow's page. */
export function detailsOf(spec: BuildSpec): string {
  const drivers =
    spec.externalRoles.length === 0 ? 'all roles by the model' : `external: ${spec.externalRoles.join(', ')}`;
  return [
    `Build ${oneLine(spec.buildId)} of project ${oneLine(spec.projectId)}, for ${oneLine(spec.userId)}`,
    `Model: ${spec.simulated ? 'simulated' : (spec.model ?? 'by role')}; ${drivers}; coverage at least ${spec.coverageMin} %`,
    `Requirements: ${clipBytes(wordsOf(spec.requirements), 2000)}`,
  ].join('\n\n');
}
