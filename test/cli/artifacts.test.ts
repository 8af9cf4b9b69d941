import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ARCHIVE, PARTS, released, sha256 } from '../api/released.ts';
import { serve } from '../api/serve.ts';
import { tempFolder } from '../stack/temp-folder.ts';
import { cli } from './run-cli.ts';

const NAME = 'build-1-1.0.0.tar.gz';

describe('artifacts', () => {
  it('shows what a build released', async () => {
    const api = await serve();
    const { id } = await released(api);
    const shown = await cli(['artifacts', id, '--url', api.server.url]);
    expect(shown).toMatchObject({ code: 0, err: '' });
    expect(shown.out).toContain(`${NAME}  archive   ${ARCHIVE.length}`);
    expect(shown.out).toContain(sha256(ARCHIVE));
    const json = await cli(['artifacts', id, '--json', '--url', api.server.url]);
    expect(JSON.parse(json.out)).toMatchObject({ release: { version: '1.0.0' } });
  });

  it('says why there is nothing yet', async () => {
    const api = await serve();
    const id = await api.startExternal();
    expect(await cli(['artifacts', id, '--url', api.server.url])).toMatchObject({
      code: 0,
      out: 'The build is in discovery: it has a release once deployment is completed.\n',
    });
  });

  it('saves one, whole or not at all, and over nothing that is there', async () => {
    const api = await serve();
    const { id } = await released(api);
    const folder = tempFolder();
    const output = join(folder, 'product.tar.gz');
    const save = ['artifacts', id, '--download', NAME, '--output', output, '--url', api.server.url];
    expect(await cli(save)).toMatchObject({ code: 0, out: `${output}\n` });
    expect(readFileSync(output, 'utf8')).toBe(ARCHIVE);
    writeFileSync(output, 'mine');
    expect(await cli(save)).toMatchObject({ code: 2, err: expect.stringContaining('is there already') });
    expect(readFileSync(output, 'utf8')).toBe('mine');
    api.artifacts.contents.set(sha256(PARTS[1]), Buffer.from('another one,'));
    const other = join(folder, 'other');
    const broken = ['artifacts', id, '--download', NAME, '--output', other, '--url', api.server.url];
    expect((await cli(broken)).code).toBe(1);
    expect(readdirSync(folder)).toEqual(['product.tar.gz']);
  });

  it('knows no name that the release has not', async () => {
    const api = await serve();
    const { id } = await released(api);
    const asked = await cli(['artifacts', id, '--download', '../../etc/passwd', '--url', api.server.url]);
    expect(asked).toMatchObject({ code: 2, err: expect.stringContaining('no download') });
  });
});
