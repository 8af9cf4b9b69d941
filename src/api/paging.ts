import { z } from 'zod';
import type { Json } from '../machine/json.ts';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 500;

/** A parameter of the query: repeated, it comes as a list, and which of its values is meant nobody can tell. */
export const once = <T extends z.ZodType>(schema: T) =>
  z.preprocess((given, context) => {
    if (!Array.isArray(given)) return given;
    context.addIssue({ code: 'custom', message: 'must be given once' });
    return z.NEVER;
  }, schema);

const limitFault = `must be a whole number from 1 to ${MAX_LIMIT}`;

/** How many a page has at most: 50, and 500 for who asks for it. */
export const pageLimit = (description: string) =>
  once(
    z
      .string({ error: limitFault })
      .regex(/^\d{1,3}$/, { error: limitFault })
      .transform(Number)
      .refine((limit) => limit >= 1 && limit <= MAX_LIMIT, { error: limitFault }),
  )
    .default(DEFAULT_LIMIT)
    .meta({ type: 'integer', minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT, description });

function readJson(base64url: string): unknown {
  try {
    return JSON.parse(Buffer.from(base64url, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

/** Where a page begins; opaque to callers, so that what is in it may change. */
export const pageCursor = <T>(content: z.ZodType<T>) =>
  once(
    z.string().transform((text, context): T => {
      const read = content.safeParse(readJson(text));
      if (read.success) return read.data;
      context.addIssue({ code: 'custom', message: 'must be the next_cursor of an earlier answer' });
      return z.NEVER;
    }),
  )
    .optional()
    .meta({ type: 'string', description: 'The next_cursor of an earlier answer: the page goes on behind it.' });

/** What {@link pageCursor} reads. */
export const writeCursor = (content: Json): string =>
  Buffer.from(JSON.stringify(content), 'utf8').toString('base64url');
