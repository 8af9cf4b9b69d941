import { isMeasuring } from '../machine/advance.ts';
import {
  attemptOf,
  type Build,
  completedPhases,
  isExternal,
  isOver,
  phaseOf,
  roleOf,
  stateOf,
} from '../machine/build.ts';
import { retryTarget, rollbackTargets } from '../machine/going-back.ts';
import type { JsonObject } from '../machine/json.ts';
import type { MessageName } from '../machine/messages.ts';
import { heldUpBy, nextWork } from '../machine/next-work.ts';
import { progressOf } from '../machine/progress.ts';
import { releasesOf } from '../machine/side-work.ts';
import { actingRole, isHandoff, isPhase, type Phase, STATE_TABLE } from '../machine/states.ts';
import { clipBytes, quoted } from './markdown.ts';
import { RESULT_EXAMPLES } from './result-examples.ts';
import { summaryOf } from './summary.ts';

// The Web UI carries current details in a URL, so all of them stay under 2 kB; what others wrote gets these parts of it.
const REASON_LIMIT_BYTES = 600;
const MODEL_LIMIT_BYTES = 120;

/** What an operator puts the own words in place of; accepted as it stands. */
const REASON = { reason: 'say why', actor: 'your name' };

/** The model that a phase's calls go to, as far as the build knows. */
function modelOf(build: Build, phase: Phase): string {
  const { model, defaultModels, simulated } = build.spec;
  const name = model ?? defaultModels?.[STATE_TABLE[phase].owner] ?? "the worker's model";
  return simulated ? `${name} (simulated)` : name;
}

/** What the timeline shows beside the activity of a phase. The server takes 400 bytes, and a model's name may have 800. */
export const phaseSummary = (build: Build, phase: Phase): string =>
  `${phase}, attempt ${build.attempts[phase]}, ${clipBytes(modelOf(build, phase), MODEL_LIMIT_BYTES)}`;

/** Who is at work: in a handoff state its receiver. */
const workerOf = ({ position }: Build) =>
  position.status === 'in_progress' ? actingRole(position.state) : roleOf(position);

/** What is done beside the phases, or what of it is left undone. */
function besides(build: Build): string {
  const work = nextWork(build);
  switch (work.kind) {
    case 'open_source':
      return '; the source is being fetched';
    case 'commit_files':
      return `; the files of ${work.pending.phase} are being committed`;
    case 'undo_release':
      return `; the release of ${releasesOf(build)} is being taken back`;
    default:
      return (build.toUndo ?? []).length > 0 ? `; the release of ${releasesOf(build)} still stands` : '';
  }
}

/** Where the build is and who is waited for, in a few words. */
const headline = (build: Build): string => `${whereabouts(build)}${besides(build)}`;

function whereabouts(build: Build): string {
  const { position } = build;
  switch (position.status) {
    case 'complete':
      return 'Complete';
    case 'cancelled':
      return `Cancelled in ${stateOf(position)}`;
    case 'error':
      return `Needs an operator: ${position.failedIn} failed (${position.code})`;
    case 'in_progress': {
      const role = workerOf(build);
      return `${isExternal(build.spec, role) ? `Waits for ${role}` : 'At work'}: ${position.state}`;
    }
  }
}

/** What the timeline shows beside a flush: it is written when the build is about to wait, so it says for whom. */
export const flushSummary = (build: Build): string => `to the mirror: ${headline(build)}`;

/** Why the build is where it is: parked, ended, or sent back. */
function lastReason({ position, feedback }: Build): string {
  if (position.status === 'error') return `${quoted(position.reason, REASON_LIMIT_BYTES)} (parked)`;
  if (position.status === 'cancelled') return `${quoted(position.reason, REASON_LIMIT_BYTES)} (cancelled)`;
  const last = feedback.at(-1);
  return last ? `${quoted(last.reason, REASON_LIMIT_BYTES)} (${last.kind} from ${last.from})` : 'none';
}

type Offer = Readonly<{ name: MessageName; effect: string; input: JsonObject }>;

function advanceOffer(build: Build): Offer[] {
  const { position } = build;
  if (position.status !== 'in_progress' || heldUpBy(build) !== null) return [];
  if (position.state === 'testing' && isMeasuring(build)) return [];
  const { state } = position;
  const result = isPhase(state) ? { phase_result: RESULT_EXAMPLES[state] } : {};
  const input = { role: actingRole(state), completed_state: state, ...result };
  return [{ name: 'advance', effect: isHandoff(state) ? 'acknowledges the handoff' : `completes ${state}`, input }];
}

/** What may be sent now, the way on first. */
function offers(build: Build): Offer[] {
  const { position } = build;
  if (isOver(position)) return [];
  const target = retryTarget(position);
  const targets = rollbackTargets(position);
  const target_state = targets.at(-1) ?? 'discovery';
  return [
    ...(target === null ? [] : [{ name: 'retry', effect: `goes to ${target}`, input: REASON } as const]),
    ...advanceOffer(build),
    { name: 'rollback', effect: `goes to ${targets.join(', ')}`, input: { target_state, ...REASON } },
    { name: 'abort', effect: 'ends the build', input: REASON },
  ];
}

const offerLine = ({ name, effect, input }: Offer): string => `- ${name} (${effect}): \`${JSON.stringify(input)}\``;

/**
 * What operators read first, as Markdown: where the build is, who works on it, what it cost, why it is there, and what may
 * be sent, ready to copy.
 */
export function currentDetails(build: Build): string {
  const { position, spec } = build;
  const phase = phaseOf(position);
  const role = workerOf(build);
  const driver = isExternal(spec, role) ? 'external' : 'llm';
  const { percentage, completed, total } = progressOf(completedPhases(build).length);
  const offered = offers(build);
  const lines = [
    `**${headline(build)}**`,
    '',
    `- needs an operator: ${position.status === 'error' ? 'yes' : 'no'}`,
    `- last reason: ${lastReason(build)}`,
    `- state: ${stateOf(position)}; ${completed} of ${total} phases done (${percentage} %)`,
    ...(phase === null ? [] : [`- attempt: ${attemptOf(build, phase)} of ${phase}`]),
    `- role: ${role} (${driver})`,
    ...(phase === null || driver === 'external'
      ? []
      : [`- model: ${quoted(modelOf(build, phase), MODEL_LIMIT_BYTES)}`]),
    `- tokens: ${build.tokens}`,
    // The summary of a start is not shown any more once its run has continued as new.
    `- build: ${summaryOf(spec)}`,
    '',
    offered.length === 0
      ? 'Nothing may be sent: the build is over.'
      : 'Send as a signal or an update, with this input:',
    '',
    ...offered.map(offerLine),
  ];
  return lines.join('\n');
}
