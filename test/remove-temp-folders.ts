import { afterAll } from 'vitest';
import { removeTempFolders } from './stack/temp-folder.ts';

/** Set up anew for each file of tests: a hook of temp-folder.ts itself would be of the first file alone, modules being shared. */
afterAll(removeTempFolders);
