import { loadPromptParts } from '../../artifacts/contents.ts';
import { checkFiles } from '../../machine/file-paths.ts';
import type { Fault, JsonObject } from '../../machine/json.ts';
import { checkPhaseResult, isTestPath } from '../../machine/payloads.ts';
import { type Phase, STATE_TABLE } from '../../machine/states.ts';
import { routeModel } from '../../models.ts';
import { buildPrompt, PHASES_WITH_FILES, type PromptInput } from '../../prompts/prompt.ts';
import type { PhaseInput } from '../contract.ts';
import type { ActivityDeps } from '../deps.ts';
import { AskFailed, askForResult, type Check } from '../llm/ask.ts';
import type { WorkMeter } from './work-meter.ts';

/** Text of the tree that a prompt shows; more is named but not shown. */
const FILES_LIMIT_BYTES = 120_000;

/** Everything one attempt works with. */
export type Attempt = Readonly<{ deps: ActivityDeps; input: PhaseInput; meter: WorkMeter }>;

export type Files = { path: string; content: string }[];

/** The files of a checked result; its shape was checked before. */
export const filesOf = (value: JsonObject): Files =>
  Array.isArray(value.files) ? (value.files as unknown as Files) : [];

type TreeFiles = NonNullable<PromptInput['files']>;

/** The tree as it stands. A file that is too large to show is named, so that a role knows it is there. */
async function currentFiles({ deps, input, meter }: Attempt): Promise<TreeFiles | null> {
  const { build, phase } = input;
  if (!PHASES_WITH_FILES.has(phase) || build.head === null) return null;
  const at = { workflowId: build.spec.workflowId, commit: build.head.commit, signal: meter.signal };
  const { files, omitted } = await deps.workspaces.readFiles({ ...at, limitBytes: FILES_LIMIT_BYTES });
  return [...files, ...omitted.map(({ path, bytes }) => ({ path, content: `[not shown: ${bytes} bytes]` }))];
}

/** Testing may add tests and deployment may add files of its own; neither may change what was written before it. */
function addedFileFaults(phase: Phase, existing: TreeFiles | null, value: JsonObject): Fault[] {
  if (phase !== 'testing' && phase !== 'deployment') return [];
  const paths = new Set((existing ?? []).map(({ path }) => path));
  const refused = (path: string): string | null => {
    if (phase === 'testing' && !isTestPath(path)) return 'is no test file; testing may add test files only';
    const changes = paths.has(path) && !(phase === 'testing' && isTestPath(path));
    return changes ? `is a file of the build, which ${phase} may not change` : null;
  };
  return filesOf(value).flatMap(({ path }, index) => {
    const fault = refused(path);
    return fault === null ? [] : [{ at: `/files/${index}/path`, fault: `"${path}" ${fault}` }];
  });
}

/** What one phase asks beside what all do. */
export type Question = Readonly<{
  /** The orchestrator's own run of the tests, for the prompt. */
  testRun?: JsonObject | null;
  /** What the build changed in the code that it began with, for the prompt. */
  diff?: string | null;
  /** More that the answer must meet; a fault is told to the model, which answers again a bounded number of times. */
  faultsOf?: (value: JsonObject) => readonly Fault[];
}>;

function checker(phase: Phase, existing: TreeFiles | null, faultsOf: Question['faultsOf']): Check<JsonObject> {
  return (value) => {
    const checked = checkPhaseResult(phase, value, 'llm');
    if (!checked.ok) return checked;
    const faults = [
      ...checkFiles(filesOf(checked.value)),
      ...addedFileFaults(phase, existing, checked.value),
      ...(faultsOf?.(checked.value) ?? []),
    ];
    return faults.length > 0 ? { ok: false, faults } : checked;
  };
}

/** Builds the role's prompt, asks its model, and gives the answer once it passes the phase's checks. */
export async function askRole(
  attempt: Attempt,
  { testRun = null, diff = null, faultsOf }: Question = {},
): Promise<{ value: JsonObject; simulated: boolean }> {
  const { deps, input, meter } = attempt;
  const { build, phase } = input;
  const [parts, files] = await Promise.all([loadPromptParts(deps.store, build, phase), currentFiles(attempt)]);
  const messages = buildPrompt({ ...parts, driver: 'llm', files, tree: null, diff, testRun });
  const { byRole, fallbacks, providers } = deps.models;
  const model = build.spec.model ?? byRole[STATE_TABLE[phase].owner];
  const first = routeModel(model, providers);
  const routes = [first, ...fallbacks.map((name) => routeModel(name, providers))] as const;
  const startedAt = performance.now();
  try {
    const asked = await askForResult({
      routes,
      messages,
      check: checker(phase, files, faultsOf),
      deadlineMs: meter.remainingMs(),
      signal: meter.signal,
    });
    meter.addCalls(asked.calls);
    return { value: asked.value, simulated: asked.calls.every(({ provider }) => provider === 'simulated') };
  } catch (error) {
    if (error instanceof AskFailed) meter.addCalls(error.calls);
    else if (meter.signal.aborted) meter.addCancelledCall(first, performance.now() - startedAt);
    throw error;
  }
}
