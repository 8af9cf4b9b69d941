import { realpath } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { AppError } from './errors.ts';
import { sourcePathFault } from './machine/source.ts';

/** From where builds may take the code that they begin with. */
export type SourceRules = Readonly<{
  /** Folders below which repositories may lie, links in them followed; `any`: wherever the process may read. */
  paths: 'any' | readonly string[];
  /** The product's own folders: other builds' work lies in them, so nothing is ever taken from there. */
  ownPaths: readonly string[];
  /** Whether a repository may be fetched from this machine and from private networks. */
  privateAddresses: boolean;
}>;

const NOT_THERE = ['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'ENAMETOOLONG'];

/** Where a path leads once every link in it is followed; null for what is not there, or not for this process to see. */
async function whereItLeads(path: string): Promise<string | null> {
  try {
    return await realpath(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && NOT_THERE.includes(String(error.code))) return null;
    throw error;
  }
}

/** A folder by the name it was given and by the one it really has: what is asked for may be written in either. */
async function namesOf(folder: string): Promise<string[]> {
  const given = resolve(folder);
  const real = await whereItLeads(given);
  return real === null ? [given] : [given, real];
}

const isWithin = (path: string, folders: readonly string[]): boolean =>
  folders.some((folder) => path === folder || path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`));

function refusal(path: string, rules: SourceRules): AppError {
  const shown = JSON.stringify(path.length > 300 ? `${path.slice(0, 300)}…` : path);
  const fault =
    rules.paths === 'any'
      ? "must not lie in the product's own DATA_DIR or ARTIFACTS_DIR"
      : 'must lie below a folder that the operator named in SOURCE_PATHS';
  const remedy = 'Choose another repository, give its `git_url`, or have the operator add its folder to SOURCE_PATHS.';
  return new AppError('source_refused', `The source ${shown} ${fault}. ${remedy}`, {
    faults: [{ at: 'source.path', fault }],
  });
}

/**
 * The folder that a source's path leads to, links followed: this one is to be opened, not the path as it was given, which
 * may be made to lead elsewhere meanwhile. What exists outside of the allowed folders cannot be told from what does not.
 * @returns null when nothing is there on this machine, though it would be allowed
 * @throws AppError `source_refused`
 */
export async function allowedSourcePath(path: string, rules: SourceRules): Promise<string | null> {
  if (sourcePathFault(path) !== null) throw refusal(path, rules);
  const real = await whereItLeads(path);
  const target = real ?? resolve(path);
  const own = (await Promise.all(rules.ownPaths.map(namesOf))).flat();
  const allowed = rules.paths === 'any' ? null : (await Promise.all(rules.paths.map(namesOf))).flat();
  if (isWithin(target, own) || (allowed !== null && !isWithin(target, allowed))) throw refusal(path, rules);
  return real;
}
