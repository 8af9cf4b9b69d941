import { isJsonObject, type Json, type JsonObject } from '../machine/json.ts';
import type { Phase, Role } from '../machine/states.ts';

export const ARTIFACT_KINDS = ['archive', 'notes', 'patch', 'test_report', 'manifest'] as const;

/** Nothing that a browser would show as a page: a build's own text is sent as bytes. */
export const ARTIFACT_MEDIA_TYPES = ['application/gzip', 'application/json', 'application/octet-stream'] as const;

/** One download of a release. In the store its content lies in parts, in their order; most have one. */
export type ReleaseArtifact = Readonly<{
  /** Safe as the name of a file anywhere, and in an address. */
  name: string;
  kind: (typeof ARTIFACT_KINDS)[number];
  media_type: (typeof ARTIFACT_MEDIA_TYPES)[number];
  bytes: number;
  /** Of the whole content. */
  sha256: string;
  parts: readonly Readonly<{ sha256: string; bytes: number }>[];
}>;

/** A file of the product, by its path from the product's root. */
export type ReleaseFile = Readonly<{ path: string; sha256: string; bytes: number }>;

/** `release.json`: all that is known of a release, for programs. */
export type ReleaseManifest = Readonly<{
  build_id: string;
  workflow_id: string;
  project_id: string;
  version: string;
  tag: string;
  attempt: number;
  branch: string;
  made_at: string;
  notes: string;
  requirements: Json;
  commit: string;
  tree: string;
  /** The commit of the user's source that the build began with; null where it began with nothing. */
  base_commit: string | null;
  /** The results that the release is made of; `commit` and `tree` are null where a phase wrote no files. */
  phases: readonly Readonly<{
    phase: Phase;
    attempt: number;
    role: Role;
    by: 'llm' | 'external';
    commit: string | null;
    tree: string | null;
  }>[];
  /** What the last run of the tests showed, or what was claimed in its place. */
  tests: JsonObject | null;
  coverage: number | null;
  /** True when every model call went to the simulated model. */
  simulated: boolean;
  /** `tokens` are those of the attempts whose results are in the release, as far as they are known. */
  roles: readonly Readonly<{ role: Role; model: string | null; tokens: number | null }>[];
  /** Of the whole build up to the release, attempts that were sent back included. */
  tokens: number;
  files: readonly ReleaseFile[];
  archive: Readonly<{ name: string; bytes: number; sha256: string }>;
  artifacts: readonly ReleaseArtifact[];
}>;

/** The name under which the manifest itself is downloaded, and lies in the release's folder. */
export const MANIFEST_NAME = 'release.json';

/** Reads a manifest back; null for what is none. Manifests are our own, so only what is wanted of one is looked at. */
export function readManifest(
  bytes: Buffer,
): Pick<ReleaseManifest, 'workflow_id' | 'version' | 'tag' | 'artifacts'> | null {
  const value = JSON.parse(bytes.toString('utf8')) as unknown;
  if (!isJsonObject(value) || typeof value.workflow_id !== 'string' || !Array.isArray(value.artifacts)) return null;
  return value as unknown as ReleaseManifest;
}
