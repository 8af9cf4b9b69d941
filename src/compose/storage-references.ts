import sdk from '@temporalio/common/lib/internal-non-workflow/extstore-helpers.js';

/** The SDK's own check, where its worker looks for it. */
const helpers: { isReferencePayload: (payload: never) => boolean } = sdk;

/**
 * Makes the SDK take payloads that claim to be references to external storage for ordinary ones. Without such a storage it
 * fails the workflow task over them, before any converter or handler is asked: one signal by hand with the metadata of a
 * reference would stop its build for good. There is no option for it; a storage of ours would not do, because a reference
 * that is malformed fails the task too, and all that goes out would be looked through. Builds keep references of their own
 * (src/artifacts), which are plain JSON.
 */
export function takeStorageReferencesAsTheyAre(): void {
  helpers.isReferencePayload = () => false;
}
