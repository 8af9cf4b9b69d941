import { PHASES, ROLES } from '../../src/machine/states.ts';
import { CLAIMS } from '../integration/fixtures/builds.ts';

/** A build that requests may name, with what may be done to it now. */
export type KnownBuild = Readonly<{
  workflowId: string;
  buildId: string;
  projectId: string;
  /** Who may advance, and from where; of a build that is over or parked anything. */
  role: string;
  completedState: string;
}>;

type Reply = Readonly<{ status: number; body: Readonly<Record<string, unknown>> }>;
type Caller = Readonly<{ get(path: string): Promise<Reply>; post(path: string, body: unknown): Promise<Reply> }>;

type Ending = 'as it is' | 'acknowledged' | 'parked' | 'aborted';

/** Every state of the machine, by the phases that are completed and what is done then. */
const BUILDS: readonly (readonly [completed: number, ending: Ending])[] = [
  ...[0, 1, 2, 3, 4, 5, 6].map((completed) => [completed, 'as it is'] as const),
  ...[2, 3, 4, 5].map((completed) => [completed, 'acknowledged'] as const),
  [5, 'parked'],
  [0, 'aborted'],
  [2, 'aborted'],
];

const PROJECT = 'shop';

async function succeed(reply: Promise<Reply>): Promise<Reply['body']> {
  const { status, body } = await reply;
  if (status !== 200) throw new Error(JSON.stringify(body));
  return body;
}

async function startWith({ post }: Caller, buildId: string, completed: number): Promise<string> {
  const body = { build_id: buildId, user_id: 'ann', requirements: 'a slugifier', external_roles: ROLES };
  const { workflow_id: id } = await succeed(post(`/api/workflows/${PROJECT}/start`, body));
  for (const phase of PHASES.slice(0, completed)) {
    await succeed(post(`/api/workflows/${id}/advance`, { ...CLAIMS[phase], completed_state: phase }));
  }
  return String(id);
}

async function describeBuild({ get }: Caller, workflowId: string): Promise<KnownBuild> {
  const view = await succeed(get(`/api/workflows/${workflowId}/status`));
  const isOpen = view.status === 'in_progress';
  return {
    workflowId,
    buildId: String(view.build_id),
    projectId: PROJECT,
    role: isOpen ? String(view.next_role) : ROLES[0],
    completedState: isOpen ? String(view.current_state) : PHASES[0],
  };
}

async function end({ post }: Caller, { workflowId, role, completedState }: KnownBuild, ending: Ending): Promise<void> {
  const at = `/api/workflows/${workflowId}`;
  const failed = {
    role: 'release_manager',
    completed_state: 'deployment',
    phase_result: { deployment_successful: false },
  };
  if (ending === 'acknowledged') await succeed(post(`${at}/advance`, { role, completed_state: completedState }));
  if (ending === 'parked') await succeed(post(`${at}/advance`, failed));
  if (ending === 'aborted') await succeed(post(`${at}/abort`, { reason: 'enough' }));
}

/**
 * Takes new builds, all of whose roles are external, to every state of the machine and to every end.
 * @param prefix of their build ids, so that the same requests name the same builds in every run
 */
export async function startInEveryState(api: Caller, prefix: string): Promise<KnownBuild[]> {
  const known: KnownBuild[] = [];
  for (const [completed, ending] of BUILDS) {
    const id = await startWith(api, `${prefix}-${known.length}`, completed);
    await end(api, await describeBuild(api, id), ending);
    known.push(await describeBuild(api, id));
  }
  return known;
}
