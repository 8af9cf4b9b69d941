import type { ArtifactStore } from '../../artifacts/artifact-store.ts';
import { loadContent } from '../../artifacts/contents.ts';
import type { Rejected } from '../../machine/build.ts';
import { isJsonObject, type Json } from '../../machine/json.ts';
import type { BuildSnapshot } from '../../machine/snapshot.ts';

/** Tests that the runs owe for which the work was sent back: they may be corrected, not removed. */
export async function failedBefore(store: ArtifactStore, build: Pick<BuildSnapshot, 'feedback'>): Promise<string[]> {
  const rejected = build.feedback.flatMap((entry) => entry.rejected).filter(({ phase }) => phase === 'testing');
  const names = await Promise.all(rejected.map((result) => owedBy(store, result)));
  return [...new Set(names.flat())];
}

async function owedBy(store: ArtifactStore, { data, full }: Rejected): Promise<string[]> {
  const result = full === null ? data : await loadContent(store, { kind: 'artifact', ref: full });
  // Of an external tester's gate only the summary stands in the result; what was never measured owes nothing.
  const sha256 = isJsonObject(result) ? result.test_report : undefined;
  if (typeof sha256 !== 'string') return [];
  const report = JSON.parse((await store.get(sha256)).toString('utf8')) as Json;
  const owed = isJsonObject(report) && Array.isArray(report.owed) ? report.owed : [];
  return owed.filter((name) => typeof name === 'string');
}
