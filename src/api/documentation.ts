import { z } from 'zod';
import { docsPage } from './docs/page.ts';
import { describeApi } from './openapi/describe.ts';
import type { OpenApiDocument } from './openapi/types.ts';
import { type AnyRoute, defineRoute } from './route.ts';

/** The calls that tell of all calls, these included. What they tell is made once, when it is first asked for. */
export function documentation(routes: () => readonly AnyRoute[]): AnyRoute[] {
  let made: OpenApiDocument | null = null;
  let page: string | null = null;
  const description = (): OpenApiDocument => {
    made ??= describeApi(routes());
    return made;
  };
  return [
    defineRoute({
      method: 'get',
      path: '/openapi.json',
      operationId: 'openApi',
      summary: 'This description of the API, as OpenAPI 3.1.',
      open: true,
      reply: z.record(z.string(), z.unknown()).meta({ type: 'object', examples: [{ openapi: '3.1.1' }] }),
      errors: [],
      handle: async () => description(),
    }),
    defineRoute({
      method: 'get',
      path: '/docs',
      operationId: 'docs',
      summary: 'This description of the API, as a page.',
      open: true,
      reply: z.string(),
      mediaType: 'text/html',
      errors: [],
      handle: async () => {
        page ??= docsPage(description());
        return page;
      },
    }),
  ];
}
