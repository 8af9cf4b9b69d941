/** Where the program of a source is, relative to the project: `dist/main.mjs` of `src/main.ts`; null where it is none of these. */
export function compiled(source: string): string | null;

/** Whether `dist` is missing or was made of other sources. */
export function isDistStale(): boolean;

/** Compiles the programs of `src` into `dist`. */
export function compile(): Promise<void>;

/**
 * Compiles programs into a folder inside the project, with their packages: `folder/name.mjs` of each `name.ts`.
 * @returns the paths of all that it wrote
 */
export function compileInto(folder: string, sources: readonly string[]): Promise<string[]>;
