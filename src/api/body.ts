import express, { type Request, type RequestHandler } from 'express';
import { AppError } from '../errors.ts';
import { DEPTH_LIMIT } from '../machine/json.ts';

/** The largest request body, in bytes. */
const BODY_LIMIT_BYTES = 1024 * 1024;

/** Depth is counted on the text, because checkers of parsed values recurse; a little more room keeps the fault's path. */
const PARSED_DEPTH_LIMIT = 10 * DEPTH_LIMIT;

const readBytes = express.raw({ type: () => true, limit: BODY_LIMIT_BYTES });

const tooLarge = (size: string): AppError =>
  new AppError(
    'body_too_large',
    `The body has ${size} bytes; at most ${BODY_LIMIT_BYTES} are taken. Send less, or refer to the rest by a URL.`,
  );

function bodyError(error: unknown): AppError {
  const { type } = error as { type?: string };
  if (type === 'entity.too.large') return tooLarge(`over ${BODY_LIMIT_BYTES}`);
  if (type === 'encoding.unsupported') {
    return new AppError(
      'unsupported_media_type',
      'The Content-Encoding is not known; send the body plain, or with gzip or deflate.',
    );
  }
  return new AppError('invalid_body', 'The body could not be read to its end; send it again.', {}, { cause: error });
}

/** Reads the body's bytes, whatever they claim to be, up to {@link BODY_LIMIT_BYTES}. */
export const readBody: RequestHandler = (req, res, next) => {
  // The reader of bytes would wait for all of them before it refuses.
  const announced = Number(req.headers['content-length'] ?? 0);
  if (announced > BODY_LIMIT_BYTES) throw tooLarge(String(announced));
  readBytes(req, res, (error?: unknown) => {
    if (error === undefined || error === null) next();
    else next(bodyError(error));
  });
};

const invalid = (fault: string): AppError =>
  new AppError('invalid_body', `The body ${fault}.`, { faults: [{ at: '', fault }] });

/** The deepest nesting of a JSON text. Brackets in strings do not count. */
export function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (inString) {
      if (char === '\\') at += 1;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === '{' || char === '[') {
      depth += 1;
      if (depth > deepest) deepest = depth;
    } else if (char === '}' || char === ']') depth -= 1;
  }
  return deepest;
}

function requireJsonType(req: Request): void {
  const [type = '', ...parameters] = (req.headers['content-type'] ?? '').toLowerCase().split(';');
  const charset = parameters.map((p) => p.trim()).find((p) => p.startsWith('charset='));
  const isJson = /^application\/([\w.-]+\+)?json$/.test(type.trim());
  if (isJson && (charset === undefined || /^charset="?utf-?8"?$/.test(charset))) return;
  const given = JSON.stringify((req.headers['content-type'] ?? 'none').slice(0, 100));
  throw new AppError('unsupported_media_type', `The Content-Type is ${given}; send application/json in UTF-8.`);
}

/**
 * The JSON value of a request's body.
 * @throws AppError `unsupported_media_type`, `invalid_body`
 */
export function jsonBody(req: Request): unknown {
  const bytes: unknown = req.body;
  if (!Buffer.isBuffer(bytes) || bytes.length === 0) throw invalid('is missing: send one JSON object');
  requireJsonType(req);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw invalid('is not valid UTF-8: send application/json in UTF-8');
  }
  if (depthOf(text) > PARSED_DEPTH_LIMIT) throw invalid(`is nested deeper than ${DEPTH_LIMIT} levels; flatten it`);
  try {
    return JSON.parse(text);
  } catch (error) {
    // The parser's message quotes the body, which may hold secrets that do not belong in logs: only the place is kept.
    const position = /position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
    throw invalid(`is no JSON${position === undefined ? '' : ` (at character ${position})`}: send one JSON object`);
  }
}
