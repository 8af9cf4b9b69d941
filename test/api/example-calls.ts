import { describeApi } from '../../src/api/openapi/describe.ts';
import { pathTemplate } from '../../src/api/openapi/operation.ts';
import type { AnyRoute } from '../../src/api/route.ts';
import { ROUTES } from '../../src/api/routes.ts';

/** A call of the API with the body that its description gives as an example. */
export type ExampleCall = Readonly<{
  operationId: string;
  route: AnyRoute;
  /** Whether it names a build, in its path or its body. */
  namesBuild: boolean;
  /** The path where the build and the project of the call are these. */
  path(workflowId: string, projectId?: string): string;
  init(workflowId: string, headers: Record<string, string>, projectId?: string): RequestInit;
}>;

type Example = Record<string, unknown>;

function exampleCall(route: AnyRoute, example: Example | undefined): ExampleCall {
  const { operationId, method } = route;
  const named = (workflowId: string, projectId: string): Example => ({
    ...example,
    ...(example && 'workflow_id' in example ? { workflow_id: workflowId } : {}),
    ...(example && 'project_id' in example ? { project_id: projectId } : {}),
  });
  return {
    operationId,
    route,
    namesBuild: route.path.includes(':workflow_id') || (example !== undefined && 'workflow_id' in example),
    path: (workflowId, projectId = 'shop') =>
      route.path.replace(':workflow_id', workflowId).replace(':project_id', projectId).replace(':name', 'release.json'),
    init: (workflowId, headers, projectId = 'shop') => ({
      method: method.toUpperCase(),
      headers: { ...headers, ...(example ? { 'content-type': 'application/json' } : {}) },
      ...(example ? { body: JSON.stringify(named(workflowId, projectId)) } : {}),
    }),
  };
}

/** Every call of the table of routes. */
export function exampleCalls(): ExampleCall[] {
  const { paths } = describeApi(ROUTES);
  return ROUTES.map((route) => {
    const body = paths[pathTemplate(route.path)]?.[route.method]?.requestBody;
    return exampleCall(route, body?.content['application/json']?.example as Example | undefined);
  });
}
