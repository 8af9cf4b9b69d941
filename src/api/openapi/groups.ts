type Group = Readonly<{ name: string; description: string; prefix: string }>;

/** The calls by what they are about, in the order in which they are told. The longest prefix that fits decides. */
export const GROUPS = [
  { prefix: '/api/workflows', name: 'Builds', description: 'Start a build, steer it, watch it.' },
  { prefix: '/api/workflows/project/', name: 'Projects', description: 'All builds of a project.' },
  {
    prefix: '/api/ai-workflows/',
    name: 'Outside agents',
    description: 'A whole build driven from outside: prompts are asked for, and results handed on.',
  },
  { prefix: '/chat/', name: 'Chat', description: 'Builds that begin in a conversation.' },
  { prefix: '/', name: 'Service', description: 'The server itself: health, figures, and this description.' },
] as const satisfies readonly Group[];

export function groupOf(path: string): string {
  const fitting = GROUPS.filter(({ prefix }) => path.startsWith(prefix));
  const [group] = fitting.sort((a, b) => b.prefix.length - a.prefix.length);
  if (!group) throw new Error(`no group for ${path}`);
  return group.name;
}
