import { describeApi } from '../../src/api/openapi/describe.ts';
import { ROUTES } from '../../src/api/routes.ts';

/** The description of the API, made once for all tests that hold answers against it. */
export const DOCUMENT = describeApi(ROUTES);
