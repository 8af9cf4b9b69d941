type Group = Readonly<{ name: string; description: string; prefix: string }>;

/** The calls by what they are about. Of the prefixes that fit a path the first one decides. */
export const GROUPS = [
  { prefix: '/api/workflows/project/', name: 'Projects', description: 'All builds of a project.' },
  { prefix: '/api/workflows', name: 'Builds', description: 'One build: start it, steer it, watch it.' },
  {
    prefix: '/api/ai-workflows/',
    name: 'Outside agents',
    description: 'A whole build driven from outside: prompts are asked for, and results handed on.',
  },
  { prefix: '/chat/', name: 'Chat', description: 'Builds that begin in a conversation.' },
  { prefix: '/', name: 'Service', description: 'The server itself: health, figures, and this description.' },
] as const satisfies readonly Group[];

export function groupOf(path: string): string {
  const group = GROUPS.find(({ prefix }) => path.startsWith(prefix));
  if (!group) throw new Error(`no group for ${path}`);
  return group.name;
}
