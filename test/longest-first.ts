import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Each takes some minute, or twenty seconds at the end of all. Nothing else knows on a fresh clone, where files are begun by their size. */
export const LONGEST = [
  'test/integration/web-ui/web-ui.test.ts',
  'test/integration/entry-points.test.ts',
  'test/integration/by-hand/steering.test.ts',
  'test/integration/api.test.ts',
  'test/integration/runbook/command-lines.test.ts',
  'test/integration/generated-requests.test.ts',
];

type File = Pick<TestSpecification, 'moduleId'>;

const rank = ({ moduleId }: File): number => {
  const at = LONGEST.findIndex((path) => moduleId.endsWith(`/${path}`));
  return at === -1 ? LONGEST.length : at;
};

/** The longest first, and all others in the order in which they come. */
export const longestFirst = <T extends File>(files: readonly T[]): T[] => [...files].sort((a, b) => rank(a) - rank(b));

/** Begun late, one such file keeps the run waiting when all others are done. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return longestFirst(await super.sort(files));
  }
}
