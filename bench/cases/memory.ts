import { runOne, type Subject } from '../driver.ts';
import { type Setup, usageOf } from '../setup.ts';
import { rounds, slope } from '../statistics.ts';

export type Memory = Readonly<{
  builds: number;
  beforeBytes: number;
  afterBytes: number;
  /** What each build added, by least squares over all samples but those of the first fifth. */
  bytesPerBuild: number;
  samples: readonly Readonly<{ builds: number; rssBytes: number }>[];
}>;

/** Builds in a row, one at a time, with the worker's memory after each tenth of them. */
export async function measureMemory(setup: Setup, subject: Subject, count: number): Promise<Memory> {
  const settledRss = async (): Promise<number> => (await usageOf(setup.builder(), true)).rssBytes;
  const samples = [{ builds: 0, rssBytes: await settledRss() }];
  let done = 0;
  for (const block of rounds(count, 10)) {
    for (let i = 0; i < block; i++) await runOne(setup.client, subject);
    done += block;
    samples.push({ builds: done, rssBytes: await settledRss() });
  }
  const later = samples.filter(({ builds }) => builds >= count / 5);
  return {
    builds: count,
    beforeBytes: samples[0]?.rssBytes ?? 0,
    afterBytes: samples.at(-1)?.rssBytes ?? 0,
    bytesPerBuild: slope(later.map(({ builds, rssBytes }) => ({ x: builds, y: rssBytes }))),
    samples,
  };
}
