import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Each takes over a minute. Nothing else knows that on a fresh clone, where files are begun by their size. */
const LONGEST = ['web-ui/web-ui', 'entry-points', 'by-hand/steering', 'integration/api'].map(
  (name) => `${name}.test.ts`,
);

const rank = ({ moduleId }: TestSpecification): number => {
  const at = LONGEST.findIndex((name) => moduleId.endsWith(`/${name}`));
  return at === -1 ? LONGEST.length : at;
};

/** Begun late, one such file keeps the run waiting when all others are done. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
