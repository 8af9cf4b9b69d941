import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ARTIFACT_LIMIT_BYTES, createFolderStore } from '../../src/artifacts/artifact-store.ts';
import { previewOf } from '../../src/artifacts/preview.ts';
import { unicodeText } from '../unicode-text.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'artifacts-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

const sha256Of = (text: string) => createHash('sha256').update(text).digest('hex');
const files = async () =>
  (await readdir(dir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());

describe('the folder store', () => {
  test('gives back what was put, text and bytes alike', async () => {
    const store = createFolderStore(join(dir, 'not', 'there', 'yet'));
    const text = await store.put('grüße 🎉');
    const bytes = await store.put(new Uint8Array([0, 255, 1]));
    expect(text).toEqual({ sha256: sha256Of('grüße 🎉'), bytes: 12, preview: 'grüße 🎉' });
    expect((await store.get(text.sha256)).toString('utf8')).toBe('grüße 🎉');
    expect([...(await store.get(bytes.sha256))]).toEqual([0, 255, 1]);
  });

  test('writes the same content once', async () => {
    const store = createFolderStore(dir);
    const first = await store.put('same');
    const [entry] = await files();
    const path = join(entry?.parentPath ?? '', entry?.name ?? '');
    await utimes(path, 1, 1);
    expect(await store.put('same')).toEqual(first);
    expect((await stat(path)).mtimeMs).toBe(1000);
    expect(await files()).toHaveLength(1);
  });

  test('takes the same content from many writers at once', async () => {
    const store = createFolderStore(dir);
    const refs = await Promise.all(Array.from({ length: 20 }, () => store.put('raced')));
    expect(new Set(refs.map((ref) => ref.sha256)).size).toBe(1);
    expect(await files()).toHaveLength(1);
  });

  test('writes content anew that a full disk has cut off', async () => {
    const store = createFolderStore(dir);
    const { sha256 } = await store.put('whole');
    await writeFile(join(dir, sha256.slice(0, 2), sha256.slice(2, 4), sha256), 'wh');
    await store.put('whole');
    expect((await store.get(sha256)).toString()).toBe('whole');
  });

  test('is not harmed by a temporary name that a crash has left', async () => {
    const store = createFolderStore(dir);
    const sha256 = sha256Of('later');
    const folder = join(dir, sha256.slice(0, 2), sha256.slice(2, 4));
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, `${sha256}.0000.tmp`), 'lat');
    await expect(store.get(sha256)).rejects.toMatchObject({ code: 'artifact_missing' });
    await store.put('later');
    expect((await store.get(sha256)).toString()).toBe('later');
  });

  test('reports damaged content instead of returning it', async () => {
    const store = createFolderStore(dir);
    const { sha256 } = await store.put('whole');
    await writeFile(join(dir, sha256.slice(0, 2), sha256.slice(2, 4), sha256), 'whole!');
    await expect(store.get(sha256)).rejects.toMatchObject({ code: 'artifact_missing' });
  });

  test.each(['', '../../etc/passwd', 'A'.repeat(64), `${'a'.repeat(63)}/`, `${'a'.repeat(64)}\n`])(
    'refuses %j as an address',
    async (address) => {
      await expect(createFolderStore(dir).get(address)).rejects.toMatchObject({ code: 'artifact_missing' });
    },
  );

  test('refuses content over 64 MiB and writes nothing', async () => {
    const store = createFolderStore(dir);
    await expect(store.put(new Uint8Array(ARTIFACT_LIMIT_BYTES + 1))).rejects.toMatchObject({ code: 'body_too_large' });
    expect(await files()).toHaveLength(0);
  });

  test('leaves no temporary name behind when a write fails', async () => {
    const sha256 = sha256Of('blocked');
    const path = join(dir, sha256.slice(0, 2), sha256.slice(2, 4), sha256);
    await mkdir(path, { recursive: true });
    await writeFile(join(path, 'occupied'), '');
    await expect(createFolderStore(dir).put('blocked')).rejects.toThrow();
    expect((await files()).map((entry) => entry.name)).toEqual(['occupied']);
    expect(await readFile(join(path, 'occupied'), 'utf8')).toBe('');
  });
});

describe('a preview', () => {
  test('is one line without control characters, lone surrogates or halves of pairs', () => {
    expect(previewOf('a\u0000b\n\n  c\ud800d\u0007')).toBe('ab cd');
    expect(previewOf(`${'x'.repeat(119)}🎉`)).toBe('x'.repeat(119));
    expect(previewOf(Buffer.from('ü'.repeat(600)))).toBe('ü'.repeat(120));
  });

  test('is clean and short whatever the content is', () => {
    fc.assert(
      fc.property(unicodeText({ maxLength: 400 }), (text) => {
        const preview = previewOf(text);
        expect(preview.length).toBeLessThanOrEqual(120);
        expect(preview).not.toMatch(/[\p{Cc}\p{Cs}]/u);
      }),
    );
  });
});
