import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import { AppError } from '../errors.ts';
import { askedRange, type ByteRange } from './byte-range.ts';

/** A content that is sent as a file, whole or in part. */
export type Download = Readonly<{
  /** Safe in a header as it is. */
  name: string;
  mediaType: string;
  bytes: number;
  sha256: string;
  /** Gives the bytes of a range in pieces, each of which is in memory alone. */
  read: (range: ByteRange) => AsyncIterable<Buffer>;
}>;

/** A reader that takes nothing for so long is gone, or as good as that. */
const STALL_TIMEOUT_MS = 60_000;

const unsatisfiable = (bytes: number): AppError =>
  new AppError('range_not_satisfiable', `The content has ${bytes} bytes, and none of the range that is asked for.`);

/** The first piece is read before the answer begins, so that content which is lost is told by a status. */
async function* begun(pieces: AsyncIterator<Buffer>, first: IteratorResult<Buffer>): AsyncGenerator<Buffer> {
  try {
    for (let piece = first; !piece.done; piece = await pieces.next()) yield piece.value;
  } finally {
    await pieces.return?.();
  }
}

/**
 * Answers with a file or a range of it. It is never shown: whatever a build made, a browser saves it.
 * @throws AppError `range_not_satisfiable`, and what reading the first piece throws
 */
export async function sendDownload(req: Request, res: Response, download: Download): Promise<void> {
  const { name, mediaType, bytes, sha256 } = download;
  const tag = `"${sha256}"`;
  const asked = askedRange(req.get('Range'), req.get('If-Range'), { bytes, tag });
  if (asked.kind === 'none') {
    res.set('Content-Range', `bytes */${bytes}`);
    throw unsatisfiable(bytes);
  }
  const range = asked.kind === 'part' ? asked.range : { first: 0, last: bytes - 1 };
  const pieces = download.read(range)[Symbol.asyncIterator]();
  const first = req.method === 'HEAD' ? null : await pieces.next();
  res.status(asked.kind === 'part' ? 206 : 200);
  if (asked.kind === 'part') res.set('Content-Range', `bytes ${range.first}-${range.last}/${bytes}`);
  res.set({
    'Content-Type': mediaType,
    'Content-Length': String(range.last - range.first + 1),
    'Content-Disposition': `attachment; filename="${name}"`,
    'Accept-Ranges': 'bytes',
    ETag: tag,
  });
  if (first === null) {
    res.end();
    return;
  }
  res.setTimeout(STALL_TIMEOUT_MS, () => res.destroy());
  // Who leaves in the middle is no fault, and an answer that has begun can only be cut off.
  await pipeline(Readable.from(begun(pieces, first), { objectMode: true, highWaterMark: 1 }), res).catch((error) => {
    req.log.debug({ cause: String(error) }, 'a download ended early');
    res.destroy();
  });
}
