import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/** Typed keys of `SEARCH_ATTRIBUTES`, for starting and upserting. */
export const BUILD_STATE = defineSearchAttributeKey('BuildState', SearchAttributeType.KEYWORD);
export const BUILD_PROJECT = defineSearchAttributeKey('BuildProject', SearchAttributeType.KEYWORD);
export const BUILD_ID = defineSearchAttributeKey('BuildId', SearchAttributeType.KEYWORD);
export const BUILD_NEEDS_OPERATOR = defineSearchAttributeKey('BuildNeedsOperator', SearchAttributeType.BOOL);
