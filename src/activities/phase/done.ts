import type { Commit } from '../../machine/build.ts';
import type { JsonObject } from '../../machine/json.ts';

/** What a phase came to, before it is made small enough to travel. `simulated`: no other model had a hand in it. */
export type Done = Readonly<{ value: JsonObject; commit: Commit | null; simulated: boolean }>;
