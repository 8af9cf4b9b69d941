import { readFile } from 'node:fs/promises';
import { isJsonObject, type Json, type JsonObject } from '../machine/json.ts';
import { type Streams, UsageError } from './command.ts';

type Given = Readonly<{ given: string; what: string; streams: Streams }>;

async function readAll(input: Streams['input']): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of input) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString('utf8');
}

/** A value as it was typed, `@` and the file that holds it, or `-` for standard input. @throws UsageError */
async function readText({ given, what, streams }: Given): Promise<string> {
  if (given === '-') return await readAll(streams.input);
  if (!given.startsWith('@')) return given;
  return await readFile(given.slice(1), 'utf8').catch(() => {
    throw new UsageError(`${what} names the file "${given.slice(1)}", which cannot be read`);
  });
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** @throws UsageError */
export async function readJson(source: Given): Promise<Json> {
  const value = parse(await readText(source));
  if (value !== undefined) return value;
  const ways = 'give it in quotes, as @ and the name of a file, or as - for standard input';
  throw new UsageError(`${source.what} is no JSON: ${ways}`);
}

/** @throws UsageError */
export async function readJsonObject(source: Given): Promise<JsonObject> {
  const value = await readJson(source);
  if (isJsonObject(value)) return value;
  throw new UsageError(`${source.what} must be a JSON object`);
}

/** Requirements are a text, or an object where the text is one. @throws UsageError */
export async function readRequirements(source: Given): Promise<string | JsonObject> {
  const text = await readText(source);
  const value = parse(text);
  return isJsonObject(value) ? value : text;
}
