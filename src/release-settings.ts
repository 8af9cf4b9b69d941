import { isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import type { Fault } from './machine/json.ts';
import { fileVariable } from './secret-files.ts';

/** Variables that programs of the operator's find in their environment as the worker has them; nothing else is handed on. */
export const TOOL_VARIABLES = ['PATH', 'HOME', 'USER', 'LANG', 'TMPDIR', 'SSH_AUTH_SOCK'] as const;

type ToolEnvironment = Readonly<Partial<Record<(typeof TOOL_VARIABLES)[number], string>>>;

/** Where a release goes beside its folder and its tag. `env`: what programs that publish find in their environment. */
export type PublishTarget = Readonly<
  | { kind: 'folder' }
  | { kind: 'git'; remote: string; token: string | null; env: ToolEnvironment }
  | { kind: 'command'; publish: string; unpublish: string; env: ToolEnvironment }
>;

/** Who is told of a release. The address may hold a secret, so it is never shown. */
export type Webhook = Readonly<{ url: string; secret: string; privateAddresses: boolean }>;

const TARGETS = ['folder', 'git', 'command'] as const;
const SECRET_CHARS = 16;

const oneLine = (what: string) =>
  z.string().refine((text) => !/[\0\r\n]/.test(text), { error: `must be ${what} in one line` });

const remote = oneLine('an address of a git repository').superRefine((text, context) => {
  const fault = (message: string): void => context.addIssue({ code: 'custom', message });
  const url = /^[a-z][a-z+]*:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : null;
  const isPath = isAbsolute(text);
  const isShort = /^[A-Za-z0-9_][\w.-]*@?[\w.-]*:[^:]/.test(text) && !text.includes('::');
  if (url !== null && !/^(https?|ssh|file):$/.test(url.protocol)) {
    fault('must begin with https, http, ssh or file, or be host:path or an absolute path');
  } else if (url === null && !isPath && !isShort) fault('must be a URL, host:path, or an absolute path');
  if (url !== null && (url.password !== '' || (url.username !== '' && url.protocol !== 'ssh:'))) {
    fault("must hold no credentials: use git's own configuration, or PUBLISH_GIT_TOKEN_FILE");
  }
});

/** The variables of releases and of what follows them, as they stand in the environment. */
export const RELEASE_VARIABLES = {
  PUBLISH_TARGET: z.enum(TARGETS, { error: `must be one of ${TARGETS.join(', ')}` }).default('folder'),
  PUBLISH_DIR: z.string().optional(),
  PUBLISH_GIT_REMOTE: remote.optional(),
  PUBLISH_GIT_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]+$/, 'must be visible ASCII characters without spaces')
    .optional(),
  PUBLISH_COMMAND: oneLine('a command for a shell').optional(),
  UNPUBLISH_COMMAND: oneLine('a command for a shell').optional(),
  NOTIFY_WEBHOOK_URL: z
    .string()
    .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), {
      error: 'must be a URL that begins with https or http',
    })
    .optional(),
  NOTIFY_WEBHOOK_SECRET: z.string().min(SECRET_CHARS, `must have at least ${SECRET_CHARS} characters`).optional(),
  NOTIFY_PRIVATE_ADDRESSES: z.enum(['allowed', 'refused'], { error: 'must be allowed or refused' }).default('refused'),
} as const;

/** Of these, `<NAME>_FILE` may name a file with the value. */
export const RELEASE_SECRETS = ['PUBLISH_GIT_TOKEN', 'NOTIFY_WEBHOOK_URL', 'NOTIFY_WEBHOOK_SECRET'] as const;

type Variables = z.infer<z.ZodObject<typeof RELEASE_VARIABLES>>;
type Given = Readonly<Record<string, string | undefined>>;

/** What goes with what, in values as they were given: a secret counts as given when a file is named for it. */
export function releaseFaults(given: Given): Fault[] {
  const files = RELEASE_SECRETS.map((name) => [name, given[name] ?? given[fileVariable(name)]]);
  const env: Given = { ...given, ...Object.fromEntries(files) };
  const target = env.PUBLISH_TARGET ?? 'folder';
  const needs = (kind: string, ...names: (keyof Variables)[]): Fault[] =>
    names.flatMap((at) => [
      ...(target === kind && env[at] === undefined
        ? [{ at, fault: `must be set where PUBLISH_TARGET is ${kind}` }]
        : []),
      ...(target !== kind && env[at] !== undefined
        ? [{ at, fault: `goes with PUBLISH_TARGET=${kind}, which is ${target}: set both or none` }]
        : []),
    ]);
  const { PUBLISH_GIT_REMOTE: to, PUBLISH_GIT_TOKEN: token } = env;
  const useless = token !== undefined && to !== undefined && !/^https?:\/\//i.test(to);
  const halfHook = (env.NOTIFY_WEBHOOK_URL === undefined) !== (env.NOTIFY_WEBHOOK_SECRET === undefined);
  return [
    ...needs('git', 'PUBLISH_GIT_REMOTE'),
    ...needs('command', 'PUBLISH_COMMAND', 'UNPUBLISH_COMMAND'),
    ...(useless ? [{ at: 'PUBLISH_GIT_TOKEN', fault: 'is for remotes that begin with https or http alone' }] : []),
    ...(token !== undefined && to === undefined
      ? [{ at: 'PUBLISH_GIT_TOKEN', fault: 'goes together with PUBLISH_GIT_REMOTE: set both or none' }]
      : []),
    ...(halfHook
      ? [{ at: 'NOTIFY_WEBHOOK_SECRET', fault: 'goes together with NOTIFY_WEBHOOK_URL: set both or none' }]
      : []),
  ];
}

function targetOf(env: Variables, tools: ToolEnvironment): PublishTarget {
  const { PUBLISH_GIT_REMOTE: to = '', PUBLISH_GIT_TOKEN: token, PUBLISH_COMMAND, UNPUBLISH_COMMAND } = env;
  switch (env.PUBLISH_TARGET) {
    case 'folder':
      return { kind: 'folder' };
    case 'git':
      return { kind: 'git', remote: to, token: token ?? null, env: tools };
    case 'command':
      return { kind: 'command', publish: PUBLISH_COMMAND ?? '', unpublish: UNPUBLISH_COMMAND ?? '', env: tools };
  }
}

export type ReleaseSettings = Readonly<{
  /** Where the folders of releases are, absolute. */
  releasesDir: string;
  publishTarget: PublishTarget;
  webhook: Webhook | null;
}>;

/** @param environment without empty values */
export function releaseSettings(
  env: Variables,
  dataDir: string,
  environment: Readonly<Record<string, string>>,
): ReleaseSettings {
  const { NOTIFY_WEBHOOK_URL: url, NOTIFY_WEBHOOK_SECRET: secret } = env;
  const tools = Object.fromEntries(
    Object.entries(environment).filter(([name]) => TOOL_VARIABLES.some((one) => one === name)),
  );
  return {
    releasesDir: env.PUBLISH_DIR === undefined ? join(dataDir, 'releases') : resolve(env.PUBLISH_DIR),
    publishTarget: targetOf(env, tools),
    webhook:
      url === undefined || secret === undefined
        ? null
        : { url, secret, privateAddresses: env.NOTIFY_PRIVATE_ADDRESSES === 'allowed' },
  };
}
