import type { BuildSpec, Content } from '../machine/build.ts';
import { clipBytes, oneLine, quoted } from '../workflows/markdown.ts';

/*
 * The Web UI renders summary and details as Markdown and carries them in a URL. The server takes 400 bytes for a summary
 * and 20,000 for details, which the URL would not.
 */
const PROJECT_LIMIT_BYTES = 60;
const SUMMARY_LIMIT_BYTES = 200;
const NAME_LIMIT_BYTES = 100;
const REQUIREMENTS_LIMIT_BYTES = 1000;

function wordsOf(content: Content): string {
  if (content.kind === 'artifact') return content.ref.preview;
  return typeof content.value === 'string' ? content.value : JSON.stringify(content.value);
}

/** The build's line: its project and the first words of its requirements. */
export const summaryOf = ({ projectId, requirements }: BuildSpec): string =>
  quoted(`${clipBytes(oneLine(projectId), PROJECT_LIMIT_BYTES)}: ${wordsOf(requirements)}`, SUMMARY_LIMIT_BYTES);

/**
 * What a start fixed, for the head of the workflow's page.
 * @param apiUrl where people reach the API, for links to the build
 */
export function detailsOf(spec: BuildSpec, apiUrl: string): string {
  const name = (text: string): string => quoted(text, NAME_LIMIT_BYTES);
  const drivers =
    spec.externalRoles.length === 0 ? 'all roles by the model' : `external: ${spec.externalRoles.join(', ')}`;
  const model = spec.model === null ? 'the configured one of each role' : name(spec.model);
  const page = `${apiUrl}/api/workflows/${encodeURIComponent(spec.workflowId)}`;
  return [
    `Build ${name(spec.buildId)} of project ${name(spec.projectId)}, for ${name(spec.userId)}: ` +
      `[status](${page}/status), [audit](${page}/history)`,
    `Model: ${model}${spec.simulated ? ' (simulated)' : ''}; ${drivers}; coverage at least ${spec.coverageMin} %`,
    `Requirements: ${quoted(wordsOf(spec.requirements), REQUIREMENTS_LIMIT_BYTES)}`,
  ].join('\n\n');
}
