import type { BuildSpec } from '../machine/build.ts';
import { quoted } from '../workflows/markdown.ts';
import { wordsOf } from '../workflows/summary.ts';

// The Web UI carries details in a URL: the 20,000 bytes that the server takes would be too long for many a proxy.
const NAME_LIMIT_BYTES = 100;
const REQUIREMENTS_LIMIT_BYTES = 1000;

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
