import type { BuildSpec, Content } from '../machine/build.ts';
import { clipBytes, oneLine, quoted } from './markdown.ts';

/** The server takes 400 bytes for a summary. */
const SUMMARY_LIMIT_BYTES = 200;
const PROJECT_LIMIT_BYTES = 60;

/** What can be read of content without the artifact store. */
export function wordsOf(content: Content): string {
  if (content.kind === 'artifact') return content.ref.preview;
  return typeof content.value === 'string' ? content.value : JSON.stringify(content.value);
}

/** A build in one line: its project and the first words of its requirements. */
export const summaryOf = ({ projectId, requirements }: BuildSpec): string =>
  quoted(`${clipBytes(oneLine(projectId), PROJECT_LIMIT_BYTES)}: ${wordsOf(requirements)}`, SUMMARY_LIMIT_BYTES);
