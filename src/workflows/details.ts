import { type Build, isExternal, phaseOf, roleOf } from '../machine/build.ts';
import { describeState, nextExpectation } from '../machine/progress.ts';
import { allowedNow } from '../machine/refuse.ts';
import { actingRole, type Phase, STATE_TABLE } from '../machine/states.ts';

/** The Web UI carries current details in a URL: keep them under about 2 kB. */
const DETAILS_LIMIT_CHARS = 1800;

/** Markdown that would be rendered is shown as it was written. */
const plain = (text: string): string => text.replace(/[\\`*_[\]<>|#]/g, (mark) => `\\${mark}`).replace(/\s+/g, ' ');

/** The model that a phase's calls go to, as far as the build knows. */
export function modelOf(build: Build, phase: Phase): string {
  const { model, defaultModels, simulated } = build.spec;
  const name = model ?? defaultModels?.[STATE_TABLE[phase].owner] ?? "the worker's model";
  return simulated ? `${name} (simulated)` : name;
}

/** What the timeline shows beside an activity. */
export const phaseSummary = (build: Build, phase: Phase): string =>
  `${phase}, attempt ${build.attempts[phase]}, ${modelOf(build, phase)}`;

/** What operators read first: where the build is, who works on it, what it cost, why it went back, what may be sent. */
export function currentDetails(build: Build): string {
  const { position } = build;
  const phase = phaseOf(position);
  const role = position.status === 'in_progress' ? actingRole(position.state) : roleOf(position);
  const driver = isExternal(build.spec, role) ? 'external' : 'llm';
  const last = build.feedback.at(-1);
  const headline =
    position.status === 'error' ? `Needs an operator: ${position.failedIn} (${position.code})` : describeState(build);
  const lines = [
    `**${plain(headline)}**`,
    '',
    ...(position.status === 'error' ? [`- reason: ${plain(position.reason)}`] : []),
    ...(phase === null ? [] : [`- ${phase}, attempt ${build.attempts[phase]}`]),
    `- role: ${plain(role)} (${driver})`,
    ...(phase === null || driver === 'external' ? [] : [`- model: ${plain(modelOf(build, phase))}`]),
    `- tokens: ${build.tokens}`,
    ...(last ? [`- last reason (${plain(last.kind)} from ${plain(last.from)}): ${plain(last.reason)}`] : []),
    `- next: ${plain(nextExpectation(build, build.updatedAtMs).task)}`,
    `- allowed now: ${plain(allowedNow(position).join('; ') || 'nothing, the build is over')}`,
  ];
  return lines.join('\n').slice(0, DETAILS_LIMIT_CHARS);
}
