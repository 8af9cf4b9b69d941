import type { Releases } from '../../src/activities/release/release.ts';

const refuse = () => Promise.reject(new Error('nothing is released here'));

/** For tests in which no release is made. */
export const NO_RELEASES: Releases = { make: refuse, undo: refuse, undoOthers: refuse };
