import { checkFiles, type WorkspaceFile } from './file-paths.ts';
import { clipText, type Fault, isJsonObject, isText, type Json, type JsonObject, jsonFaults } from './json.ts';
import type { Phase } from './states.ts';
import { saidReason } from './verdict.ts';

/** Who made a result: a model must give every field, a person only what a verdict needs. */
export type Author = 'llm' | 'external';

const FAULT_LIMIT = 20;

type FieldKind = 'boolean' | 'percent' | 'text' | 'list' | 'files' | 'edits' | 'paths' | 'evidence' | 'any';
type Field = Readonly<{ name: string; kind: FieldKind; from: 'everyone' | 'llm' | 'nobody' }>;

const field = (name: string, kind: FieldKind, from: Field['from'] = 'llm'): Field => ({ name, kind, from });

/** The fields of each phase's result. More fields are kept; `from` says of whom a field is demanded. */
export const PHASE_FIELDS = {
  discovery: [field('discovered_reqs', 'list'), field('success_criteria', 'list'), field('open_questions', 'any')],
  planning: [
    field('plan', 'any', 'nobody'),
    field('components', 'any', 'nobody'),
    field('testing_strategy', 'any'),
    field('requirements', 'any'),
    field('success_criteria', 'list'),
  ],
  implementation: [
    field('code', 'any', 'nobody'),
    field('files', 'files', 'nobody'),
    field('edits', 'edits', 'nobody'),
    field('deleted_files', 'paths', 'nobody'),
    field('test_cases', 'list'),
    field('documentation', 'any'),
    field('technical_notes', 'any'),
  ],
  testing: [
    field('all_tests_passed', 'boolean', 'everyone'),
    field('test_coverage', 'percent', 'everyone'),
    field('test_results', 'any'),
    field('files', 'files', 'nobody'),
  ],
  verification: [
    field('approved_for_deployment', 'boolean', 'everyone'),
    field('verification_report', 'any'),
    field('recommendations', 'any'),
    field('evidence', 'evidence'),
  ],
  deployment: [
    field('deployment_successful', 'boolean', 'everyone'),
    field('deployed_at', 'text'),
    field('version', 'text'),
    field('notes', 'any'),
    field('monitoring_status', 'any'),
    field('files', 'files', 'nobody'),
  ],
} as const satisfies Record<Phase, readonly Field[]>;

/** A plain text given as a whole phase_result by a person stands for this field. */
export const TEXT_FIELD: Partial<Record<Phase, string>> = {
  discovery: 'discovered_reqs',
  planning: 'plan',
  implementation: 'code',
};

function fileFault(value: unknown): string | null {
  if (!Array.isArray(value) || value.length === 0) return 'must be a list of at least one {path, content}';
  const bad = value.findIndex((f) => !isJsonObject(f) || !isText(f.path) || typeof f.content !== 'string');
  return bad === -1 ? null : `entry ${bad} must be {path: text, content: text}`;
}

const isEdit = (e: JsonObject): boolean =>
  isText(e.diff) ? e.search === undefined : typeof e.search === 'string' && typeof e.replace === 'string';

function editFault(value: unknown): string | null {
  if (!Array.isArray(value) || value.length === 0) return 'must be a list of at least one edit';
  const bad = value.findIndex((e) => !isJsonObject(e) || !isText(e.path) || !isEdit(e));
  return bad === -1 ? null : `entry ${bad} must be {path, search, replace} or {path, diff}, all of them texts`;
}

function pathsFault(value: unknown): string | null {
  return Array.isArray(value) && value.length > 0 && value.every(isText) ? null : 'must be a list of at least one path';
}

function evidenceFault(value: unknown): string | null {
  if (!Array.isArray(value) || value.length === 0) return 'must be a list with one entry per success criterion';
  const isNamed = (e: JsonObject): boolean => isText(e.criterion) || Number.isInteger(e.number);
  const bad = value.findIndex((e) => !isJsonObject(e) || !isNamed(e) || typeof e.met !== 'boolean');
  return bad === -1 ? null : `entry ${bad} must be {criterion: text, met: true or false, evidence, file, line, test}`;
}

const KIND_FAULT: Record<FieldKind, (value: unknown) => string | null> = {
  boolean: (v) => (typeof v === 'boolean' ? null : 'must be true or false'),
  percent: (v) => (typeof v === 'number' && v >= 0 && v <= 100 ? null : 'must be a number from 0 to 100'),
  text: (v) => (isText(v) ? null : 'must be a text that is not empty'),
  list: (v) => (Array.isArray(v) ? null : 'must be a list'),
  any: (v) => (v === undefined || v === null ? 'must be given' : null),
  files: fileFault,
  edits: editFault,
  paths: pathsFault,
  evidence: evidenceFault,
};

/** Kinds by which files are changed: what is given of them is always checked. */
const FILE_KINDS: ReadonlySet<FieldKind> = new Set(['files', 'edits', 'paths']);

/** A model that has nothing to say gives an empty list as often as none. */
const isAbsent = (given: Json | undefined, author: Author): boolean =>
  given === undefined || given === null || (author === 'llm' && Array.isArray(given) && given.length === 0);

function faultOf(kind: FieldKind, given: Json | undefined, author: Author): string | null {
  // Edits are made while the model can still be asked again; a person's would fail when nobody is there to mend them.
  if (kind === 'edits' && author === 'external') return 'are not taken from outside: give whole files under files';
  return KIND_FAULT[kind](given);
}

function fieldFaults(phase: Phase, value: JsonObject, author: Author): Fault[] {
  return PHASE_FIELDS[phase].flatMap((f: Field) => {
    const given = value[f.name];
    const demanded = f.from === 'everyone' || (f.from === 'llm' && author === 'llm');
    // A person's optional field may have any shape, but files that are given must be files.
    const checked = demanded || (!isAbsent(given, author) && (author === 'llm' || FILE_KINDS.has(f.kind)));
    const fault = checked ? faultOf(f.kind, given, author) : null;
    return fault === null ? [] : [{ at: f.name, fault }];
  });
}

/** Testing may add and change tests, never what they test. */
export const isTestPath = (path: string): boolean => /test/i.test(path);

/** What is wrong with the files that a person hands on: no worker can tell once the phase is completed. */
function handedFileFaults(phase: Phase, { files }: JsonObject): Fault[] {
  if (!PHASE_FIELDS[phase].some((f: Field) => f.kind === 'files') || !Array.isArray(files)) return [];
  const given = files as unknown as readonly WorkspaceFile[];
  const faults = checkFiles(given).map(({ at, fault }) => ({ at: placeOf(at), fault }));
  if (phase !== 'testing') return faults;
  const foreign = given.flatMap(({ path }, index) =>
    isTestPath(path)
      ? []
      : [
          {
            at: `files[${index}].path`,
            fault: 'is no test file; testing may add test files only, with "test" in the path',
          },
        ],
  );
  return [...faults, ...foreign].slice(0, FAULT_LIMIT);
}

/** `/files/3/path` as other faults tell places: `files[3].path`. */
const placeOf = (pointer: string): string =>
  pointer
    .slice(1)
    .replace(/\/(\d+)/g, '[$1]')
    .replaceAll('/', '.');

/**
 * Checks one phase's result against the contract (design, section 3, "What the roles hand on").
 * A person's plain text is accepted for discovery, planning and implementation.
 */
export function checkPhaseResult(
  phase: Phase,
  given: unknown,
  author: Author,
): { ok: true; value: JsonObject } | { ok: false; faults: Fault[] } {
  const textField = TEXT_FIELD[phase];
  const value = author === 'external' && isText(given) && textField ? { [textField]: given } : given;
  const faults = jsonFaults(value);
  if (faults.length > 0) return { ok: false, faults };
  if (!isJsonObject(value)) {
    return { ok: false, faults: [{ at: '', fault: `must be an object with the fields of ${phase}` }] };
  }
  faults.push(...fieldFaults(phase, value, author));
  if (phase === 'planning' && author === 'llm' && value.plan == null && value.components == null) {
    faults.push({ at: 'plan', fault: 'plan or components must be given' });
  }
  if (
    phase === 'implementation' &&
    author === 'llm' &&
    isAbsent(value.files, author) &&
    isAbsent(value.edits, author)
  ) {
    faults.push({ at: 'files', fault: 'files or edits must be given' });
  }
  if ((phase === 'testing' || phase === 'deployment') && !isAbsent(value.deleted_files, author)) {
    faults.push({ at: 'deleted_files', fault: `${phase} may add files, and take none away; leave it out` });
  }
  if (author === 'external' && faults.length === 0) faults.push(...handedFileFaults(phase, value));
  return faults.length > 0 ? { ok: false, faults } : { ok: true, value };
}

/** Fields that decide or identify something and therefore always travel, beside the reference to the whole. */
const EXTRACT_FIELDS = [
  'all_tests_passed',
  'test_coverage',
  'measured',
  'approved_for_deployment',
  'deployment_successful',
  'deployed_at',
  'version',
  'release_path',
  'release_tag',
  'reason',
  'notes',
  'summary',
] as const;

const clip = (value: Json | undefined, length: number): Json | undefined =>
  typeof value === 'string' ? clipText(value, length) : undefined;

const lengthOf = (list: Json | undefined): number => (Array.isArray(list) ? list.length : 0);

const SHA256 = /^[0-9a-f]{64}$/;

/** Where a result of deployment says that the manifest of its release is in the artifact store; null where it names none. */
export function manifestOf({ release }: JsonObject): string | null {
  const { manifest } = isJsonObject(release) ? release : {};
  return typeof manifest === 'string' && SHA256.test(manifest) ? manifest : null;
}

/** What stands for a result too large to travel, beside the reference to the whole: its verdict and the reason for it. */
export function extractResult(value: JsonObject): JsonObject {
  const kept = EXTRACT_FIELDS.flatMap((name) => {
    const given = value[name];
    const small = typeof given === 'string' ? clip(given, 500) : given;
    return small === undefined || typeof small === 'object' ? [] : [[name, small] as const];
  });
  const instruction = clip(value.next_role_instruction, 300);
  const reason = clip(saidReason(value) ?? undefined, 200);
  const fileCount = lengthOf(value.files) + lengthOf(value.deleted_files);
  const manifest = manifestOf(value);
  return {
    ...Object.fromEntries(kept),
    ...(manifest === null ? {} : { release: { manifest } }),
    ...(reason === undefined ? {} : { reason }),
    ...(fileCount > 0 ? { file_count: fileCount } : {}),
    ...(instruction === undefined ? {} : { next_role_instruction: instruction }),
  };
}
