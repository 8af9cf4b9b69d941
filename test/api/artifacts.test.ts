import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { artifactsReply } from '../../src/api/replies.ts';
import { AppError } from '../../src/errors.ts';
import { PHASES } from '../../src/machine/states.ts';
import { ARCHIVE, PARTS, released, sha256 } from './released.ts';
import { complete, serve } from './serve.ts';

describe('the artifacts of a build', () => {
  it('are listed with their sizes, hashes and addresses, the manifest among them', async () => {
    const api = await serve();
    const { id, manifest, url, list } = await released(api);
    const reply = await api.get(list);
    expect(reply.status).toBe(200);
    expect(artifactsReply.parse(reply.body)).toEqual({
      workflow_id: id,
      release: { version: '1.0.0', tag: 'release/1.0.0-a1', manifest_sha256: manifest.sha256 },
      reason: null,
      artifacts: [
        {
          name: 'build-1-1.0.0.tar.gz',
          kind: 'archive',
          media_type: 'application/gzip',
          bytes: ARCHIVE.length,
          sha256: sha256(ARCHIVE),
          url,
        },
        expect.objectContaining({ name: 'release.json', kind: 'manifest', sha256: manifest.sha256 }),
      ],
    });
    expect((await api.get(`/api/workflows/${id}/status`)).body.release).toEqual(reply.body.release);
  });

  it('are none while the build goes on, and the list says so', async () => {
    const api = await serve();
    const id = await api.startExternal();
    const reply = await api.get(`/api/workflows/${id}/artifacts`);
    expect(reply.body).toMatchObject({ release: null, artifacts: [], reason: expect.stringContaining('in discovery') });
    expect((await api.get(`/api/workflows/${id}/artifacts/release.json`)).status).toBe(404);
  });

  it.each([
    ['cancelled', 'was cancelled'],
    ['parked', 'is parked'],
  ])('are none of a build that is %s', async (ending, told) => {
    const api = await serve();
    const id = await api.startExternal();
    await complete(api, id, PHASES.slice(0, 5));
    const failed = { deployment_successful: false, notes: 'the disk is full' };
    const at = `/api/workflows/${id}`;
    if (ending === 'cancelled') await api.post(`${at}/abort`, { reason: 'enough' });
    else
      await api.post(`${at}/advance`, { role: 'release_manager', completed_state: 'deployment', phase_result: failed });
    api.mirror.flush(api.heldBuild(id));
    expect((await api.get(`${at}/artifacts`)).body).toMatchObject({
      artifacts: [],
      reason: expect.stringContaining(told),
    });
  });

  it('are never those that a person names, who could name anybody’s', async () => {
    const api = await serve();
    const { list, url } = await released(api, 'build-1', { by: 'external' });
    expect((await api.get(list)).body).toMatchObject({
      artifacts: [],
      reason: expect.stringContaining('from outside'),
    });
    expect((await api.get(url)).status).toBe(404);
  });

  it('are never those of another build, whatever a manifest says', async () => {
    const api = await serve();
    const { list } = await released(api, 'build-1', { workflowId: 'another' });
    const reply = await api.get(list);
    expect(reply.status).toBe(500);
    expect(reply.text).not.toContain('another');
  });

  it('are 404 of a build that is not there, and of names that the release has not', async () => {
    const api = await serve();
    const { list } = await released(api);
    expect((await api.get('/api/workflows/nowhere/artifacts')).status).toBe(404);
    expect((await api.get('/api/workflows/nowhere/artifacts/release.json')).status).toBe(404);
    const unknown = await api.get(`${list}/other.tar.gz`);
    expect(unknown).toMatchObject({ status: 404, body: { code: 'not_found' } });
    for (const name of ['..%2f..%2fetc%2fpasswd', '.records', '%00', 'a%0ab']) {
      expect((await api.get(`${list}/${name}`)).status).toBe(400);
    }
  });

  it('are found in the mirror when no worker answers, and the database may be away while the workflow does', async () => {
    const api = await serve();
    const { list, held } = await released(api);
    api.builds.silent = new AppError('no_worker', 'nobody', { retryAfterS: 1 });
    expect((await api.get(list)).body).toMatchObject({ release: { version: '1.0.0' } });
    api.builds.silent = null;
    api.mirror.mood = 'refuses';
    const away = await api.get(list);
    expect(away).toMatchObject({ status: 503, body: { code: 'mirror_unavailable' } });
    held.ending = null;
    expect((await api.get(list)).body).toMatchObject({ release: { version: '1.0.0' } });
  });

  it('are those of the callers’ projects alone', async () => {
    const api = await serve({
      keys: [
        {
          name: 'all',
          secretSha256: createHash('sha256').update('secret-of-all').digest(),
          projects: null,
          readOnly: true,
        },
        {
          name: 'web',
          secretSha256: createHash('sha256').update('secret-of-web').digest(),
          projects: ['other'],
          readOnly: false,
        },
      ],
    });
    const open = await serve();
    const { list, url, held, id } = await released(open);
    api.builds.builds.set(id, held);
    for (const [sum, content] of open.artifacts.contents) api.artifacts.contents.set(sum, content);
    api.mirror.held.set(id, open.mirror.held.get(id) as never);
    for (const path of [list, url]) {
      expect((await api.get(path)).status).toBe(401);
      expect((await api.get(path, { authorization: 'Bearer secret-of-web' })).status).toBe(404);
      expect((await api.get(path, { authorization: 'Bearer secret-of-all' })).status).toBe(200);
    }
  });
});

describe('a download', () => {
  it('is the whole, saved under its name and never shown', async () => {
    const api = await serve();
    const { url } = await released(api);
    const reply = await api.get(url);
    expect(reply).toMatchObject({ status: 200, text: ARCHIVE });
    expect(Object.fromEntries(reply.headers)).toMatchObject({
      'content-type': 'application/gzip',
      'content-length': String(ARCHIVE.length),
      'content-disposition': 'attachment; filename="build-1-1.0.0.tar.gz"',
      'x-content-type-options': 'nosniff',
      'accept-ranges': 'bytes',
      etag: `"${sha256(ARCHIVE)}"`,
    });
  });

  it('may be asked for without its content', async () => {
    const api = await serve();
    const { url } = await released(api);
    const reply = await api.send(url, { method: 'HEAD' });
    expect(reply).toMatchObject({ status: 200, text: '' });
    expect(reply.headers.get('content-length')).toBe(String(ARCHIVE.length));
  });

  it.each([
    ['bytes=0-4', 0, 4],
    ['bytes=5-20', 5, 20],
    ['bytes=12-24', 12, 24],
    ['bytes=-7', ARCHIVE.length - 7, ARCHIVE.length - 1],
    ['bytes=25-', 25, ARCHIVE.length - 1],
  ])('is sent in part, over the borders of the parts that it lies in: %s', async (range, first, last) => {
    const api = await serve();
    const { url } = await released(api);
    const reply = await api.get(url, { range });
    expect(reply).toMatchObject({ status: 206, text: ARCHIVE.slice(first, last + 1) });
    expect(reply.headers.get('content-range')).toBe(`bytes ${first}-${last}/${ARCHIVE.length}`);
    expect(reply.headers.get('content-length')).toBe(String(last - first + 1));
  });

  it('goes on only where its beginning was of the same content', async () => {
    const api = await serve();
    const { url } = await released(api);
    const range = 'bytes=5-9';
    expect(await api.get(url, { range, 'if-range': `"${sha256(ARCHIVE)}"` })).toMatchObject({ status: 206 });
    expect(await api.get(url, { range, 'if-range': `"${sha256('older')}"` })).toMatchObject({
      status: 200,
      text: ARCHIVE,
    });
  });

  it('is refused where nothing of the range is there, with the size', async () => {
    const api = await serve();
    const { url } = await released(api);
    const reply = await api.get(url, { range: 'bytes=1000-' });
    expect(reply).toMatchObject({ status: 416, body: { code: 'range_not_satisfiable' } });
    expect(reply.headers.get('content-range')).toBe(`bytes */${ARCHIVE.length}`);
  });

  it('whose content is lost is told by its status where the loss is at its beginning, else cut off', async () => {
    const api = await serve();
    const { url } = await released(api);
    api.artifacts.contents.delete(sha256(PARTS[2]));
    await expect(fetch(`${api.server.url}${url}`).then((reply) => reply.text())).rejects.toThrow();
    api.artifacts.contents.delete(sha256(PARTS[0]));
    expect((await api.get(url)).status).toBe(500);
  });

  it('reads no more of the store than its reader takes', async () => {
    const read: string[] = [];
    const api = await serve();
    const { url } = await released(api);
    const get = api.artifacts.get.bind(api.artifacts);
    api.artifacts.get = (sum) => {
      read.push(sum);
      return get(sum);
    };
    await api.get(url, { range: 'bytes=13-20' });
    expect(read.filter((sum) => PARTS.map(sha256).includes(sum))).toEqual([sha256(PARTS[1])]);
  });

  it('whose reader leaves in the middle does no harm', async () => {
    const api = await serve();
    const { url } = await released(api);
    const socket = connect(api.server.port, '127.0.0.1');
    socket.write(`GET ${url} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    await new Promise((resolve) => socket.once('data', resolve));
    socket.destroy();
    expect((await api.get(url)).text).toBe(ARCHIVE);
  });
});
