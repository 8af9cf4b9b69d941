import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Call, UsageError } from './command.ts';
import { EXIT, printJson, printRows } from './output.ts';

async function save({ client, subject, streams, values }: Call, name: string): Promise<number> {
  const { artifacts } = await client.artifacts(subject);
  const artifact = artifacts.find((one) => one.name === name);
  if (artifact === undefined)
    throw new UsageError(`the build has no download "${name}"; without --download they are listed`);
  const path = values.output ?? name;
  if (await stat(path).catch(() => null))
    throw new UsageError(`"${path}" is there already: name another file with --output`);
  const unfinished = `${path}.part`;
  const hash = createHash('sha256');
  async function* hashed(): AsyncGenerator<Uint8Array> {
    for await (const piece of await client.download(subject, name)) {
      hash.update(piece);
      yield piece;
    }
  }
  try {
    await pipeline(Readable.from(hashed()), createWriteStream(unfinished));
    if (hash.digest('hex') !== artifact.sha256) {
      streams.errors.write(`"${name}" did not arrive as it is on the server: download it again\n`);
      return EXIT.failed;
    }
    await rename(unfinished, path);
  } finally {
    await rm(unfinished, { force: true });
  }
  streams.output.write(`${path}\n`);
  return EXIT.done;
}

/** Lists what a build released, or saves one of it. */
export async function artifacts(call: Call): Promise<number> {
  const { client, subject, streams, values } = call;
  if (values.download !== undefined) return await save(call, values.download);
  const reply = await client.artifacts(subject);
  if (values.json) printJson(call, reply);
  else if (reply.release === null) streams.output.write(`${reply.reason}\n`);
  else {
    const rows = reply.artifacts.map(({ name, kind, bytes, sha256 }) => [name, kind, String(bytes), sha256]);
    printRows(call, [['name', 'kind', 'bytes', 'sha256'], ...rows]);
  }
  return EXIT.done;
}
