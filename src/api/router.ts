import { randomUUID } from 'node:crypto';
import { type Request, type RequestHandler, type Response, Router } from 'express';
import type { z } from 'zod';
import { AppError } from '../errors.ts';
import { type Fault, jsonFaults } from '../machine/json.ts';
import { jsonBody, readBody } from './body.ts';
import { faultsOf, listFaults } from './faults.ts';
import { ANYBODY, type Authenticate, type Caller } from './keys.ts';
import type { ApiDeps } from './ports.ts';
import type { AnyRoute, Call } from './route.ts';

/** What can stand in a header and is answered as it came. */
const SANE_KEY = /^[\x21-\x7e]{1,200}$/;

/** Faults of one part of a call; `value` is meant only when there are none. */
type Checked = Readonly<{ value: unknown; faults: readonly Fault[] }>;

function check(schema: z.ZodType | undefined, given: unknown, isObject: boolean): Checked {
  if (schema === undefined) return { value: undefined, faults: [] };
  if (isObject && (typeof given !== 'object' || given === null || Array.isArray(given))) {
    return { value: undefined, faults: [{ at: '', fault: 'must be one JSON object' }] };
  }
  const parsed = schema.safeParse(given);
  const faults = parsed.success ? [] : faultsOf(parsed.error);
  const told = new Set(faults.map(({ at }) => at));
  return { value: parsed.data, faults: [...faults, ...jsonFaults(given).filter(({ at }) => !told.has(at))] };
}

function keyFrom(req: Request): { key: string; faults: Fault[] } {
  const given = req.get('Idempotency-Key');
  if (given === undefined) return { key: randomUUID(), faults: [] };
  const fault = 'must be 1 to 200 visible ASCII characters';
  return { key: given, faults: SANE_KEY.test(given) ? [] : [{ at: 'Idempotency-Key', fault }] };
}

/** Checks a whole call, so that every fault is listed at once. @throws AppError `invalid_body` */
function readCall(route: AnyRoute, req: Request, caller: Caller): Call<never, never, never> {
  const params = check(route.params, { ...req.params }, true);
  const query = check(route.query, { ...req.query }, true);
  const body = route.body ? check(route.body, jsonBody(req), true) : { value: undefined, faults: [] };
  const { key, faults: keyFaults } = keyFrom(req);
  const faults = [...params.faults, ...query.faults, ...body.faults, ...keyFaults];
  if (faults.length > 0) throw new AppError('invalid_body', `The call has faults: ${listFaults(faults)}.`, { faults });
  return {
    params: params.value,
    query: query.value,
    body: body.value,
    caller,
    idempotencyKey: key,
  } as Call<never, never, never>;
}

const readOnly = ({ name }: Caller): AppError =>
  new AppError('read_only_key', `The API key ${JSON.stringify(name)} may only read; use one that may change builds.`);

function handlerOf(route: AnyRoute, deps: ApiDeps, authenticate: Authenticate): RequestHandler[] {
  const identify: RequestHandler = (req, res, next) => {
    // Before the body is read: a stranger's megabyte is not worth reading.
    const caller = route.open === true ? ANYBODY : authenticate(req.get('Authorization'));
    if (caller.readOnly && route.method !== 'get' && route.reads !== true) throw readOnly(caller);
    res.locals.caller = caller;
    next();
  };
  const answer = async (req: Request, res: Response): Promise<void> => {
    const call = readCall(route, req, res.locals.caller as Caller);
    if (route.changes === true) res.set('Idempotency-Key', call.idempotencyKey);
    const reply: unknown = await route.handle(call, deps);
    res.status(route.statusOf?.(reply as never) ?? 200);
    if (route.mediaType === undefined) res.json(reply);
    else res.type(route.mediaType).send(reply);
  };
  return [identify, ...(route.body ? [readBody] : []), answer];
}

function refuseMethod(allowed: readonly string[]): RequestHandler {
  return (req, res) => {
    res.set('Allow', allowed.join(', '));
    if (req.method === 'OPTIONS') {
      res.status(204).end();
      return;
    }
    throw new AppError('method_not_allowed', `${req.method} is not allowed here; use ${allowed.join(' or ')}.`);
  };
}

/** Makes the router of a table: the routes, then for each of its paths a refusal of every other method. */
export function createRouter(routes: readonly AnyRoute[], deps: ApiDeps, authenticate: Authenticate): Router {
  const router = Router({ caseSensitive: true, strict: false });
  for (const route of routes) router[route.method](route.path, ...handlerOf(route, deps, authenticate));
  for (const path of new Set(routes.map((route) => route.path))) {
    const methods = routes.filter((route) => route.path === path).map((route) => route.method.toUpperCase());
    router.all(path, refuseMethod(methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))));
  }
  return router;
}
