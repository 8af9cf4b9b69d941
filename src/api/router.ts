import { type Request, type RequestHandler, Router } from 'express';
import type { z } from 'zod';
import { AppError } from '../errors.ts';
import { type Fault, jsonFaults } from '../machine/json.ts';
import { requireNamedBuild } from './access.ts';
import type { Admit } from './admission.ts';
import { jsonBody, readBody } from './body.ts';
import { sendDownload } from './download.ts';
import { boundFaults, faultsOf, listFaults } from './faults.ts';
import { readIdempotencyKey } from './idempotency-key.ts';
import type { Caller } from './keys.ts';
import { openSink, whenClosed } from './live/sink.ts';
import type { ApiDeps } from './ports.ts';
import type { AnyDownloadRoute, AnyReplyRoute, AnyRoute, AnyStreamRoute, Call, StreamCall } from './route.ts';

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

function faulty(all: readonly Fault[]): AppError {
  const faults = boundFaults(all);
  return new AppError('invalid_body', `The call has faults: ${listFaults(faults)}.`, { faults });
}

/** Checks a whole call, so that every fault is listed at once. @throws AppError `invalid_body` */
function readCall(route: AnyReplyRoute | AnyDownloadRoute, req: Request, caller: Caller): Call<never, never, never> {
  const params = check(route.params, { ...req.params }, true);
  const query = check(route.query, { ...req.query }, true);
  const body = route.body ? check(route.body, jsonBody(req), true) : { value: undefined, faults: [] };
  // Where it means nothing it is no fault.
  const { key, faults: keyFaults } = readIdempotencyKey(route.changes ? req.get('Idempotency-Key') : undefined);
  const faults = [...params.faults, ...query.faults, ...body.faults, ...keyFaults];
  if (faults.length > 0) throw faulty(faults);
  return {
    params: params.value,
    query: query.value,
    body: body.value,
    caller,
    idempotencyKey: key,
  } as Call<never, never, never>;
}

/** A browser that connects again sends the header; what stood in the address when it began is older then. */
function readStreamCall(route: AnyStreamRoute, req: Request, caller: Caller): StreamCall<never, never> {
  const params = check(route.params, { ...req.params }, true);
  const query = check(route.query, { ...req.query }, true);
  const given = req.get('Last-Event-ID');
  const header = check(given ? route.eventId : undefined, given, false);
  const headerFaults = header.faults.map(({ fault }) => ({ at: 'Last-Event-ID', fault }));
  const faults = [...params.faults, ...query.faults, ...headerFaults];
  if (faults.length > 0) throw faulty(faults);
  const { last_event_id: asked } = query.value as { last_event_id?: unknown };
  return { params: params.value, caller, lastEventId: header.value ?? asked ?? null } as StreamCall<never, never>;
}

function handlerOf(route: AnyRoute, deps: ApiDeps, admit: Admit): RequestHandler[] {
  const answer = answerOf(route, deps);
  // A stranger's megabyte is not worth reading: the body comes last.
  return [...admit(route), ...(route.body ? [readBody] : []), answer];
}

function answerOf(route: AnyRoute, deps: ApiDeps): RequestHandler {
  switch (route.kind) {
    case 'reply':
      return answerCall(route, deps);
    case 'stream':
      return answerStream(route, deps);
    case 'download':
      return answerDownload(route, deps);
  }
}

function answerDownload(route: AnyDownloadRoute, deps: ApiDeps): RequestHandler {
  return async (req, res) => {
    const call = readCall(route, req, res.locals.caller as Caller);
    await requireNamedBuild(call, deps);
    await sendDownload(req, res, await route.find(call, deps));
  };
}

function answerCall(route: AnyReplyRoute, deps: ApiDeps): RequestHandler {
  return async (req, res) => {
    const call = readCall(route, req, res.locals.caller as Caller);
    if (route.changes === true) res.set('Idempotency-Key', call.idempotencyKey);
    await requireNamedBuild(call, deps);
    const reply: unknown = await route.handle(call, deps);
    res.status(route.statusOf?.(reply as never) ?? 200);
    if (route.mediaType === undefined) res.json(reply);
    else res.type(route.mediaType).send(reply);
  };
}

function answerStream(route: AnyStreamRoute, deps: ApiDeps): RequestHandler {
  return async (req, res) => {
    const call = readStreamCall(route, req, res.locals.caller as Caller);
    whenClosed(res, deps.live.admit(call.caller));
    await requireNamedBuild(call, deps);
    const begin = await route.subscribe(call, deps);
    if (begin === null) res.status(204).end();
    else if (req.method === 'HEAD') openSink(res).end();
    else begin(openSink(res));
  };
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
export function createRouter(routes: readonly AnyRoute[], deps: ApiDeps, admit: Admit): Router {
  const router = Router({ caseSensitive: true, strict: false });
  for (const route of routes) router[route.method](route.path, ...handlerOf(route, deps, admit));
  for (const path of new Set(routes.map((route) => route.path))) {
    const methods = routes.filter((route) => route.path === path).map((route) => route.method.toUpperCase());
    router.all(path, refuseMethod(methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))));
  }
  return router;
}
