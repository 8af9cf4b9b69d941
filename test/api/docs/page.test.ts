import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { docsPage } from '../../../src/api/docs/page.ts';
import type { OpenApiDocument } from '../../../src/api/openapi/types.ts';
import { ROUTES } from '../../../src/api/routes.ts';
import { DOCUMENT as document } from '../../openapi/document.ts';
import { serve } from '../serve.ts';

const page = docsPage(document);

const all = (pattern: RegExp, text = page): string[] => [...text.matchAll(pattern)].map(([, found = '']) => found);
const unescaped = (text: string): string =>
  text.replace(/&(lt|gt|quot|#39|amp);/g, (_all, name: string) => {
    return { lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' }[name] ?? '';
  });
const ids = all(/ id="([^"]+)"/g);

describe('the page about the API', () => {
  it('shows every call with its address, its summary and an example', () => {
    for (const { operationId, summary } of ROUTES) {
      expect(ids).toContain(`call-${operationId}`);
      expect(unescaped(page)).toContain(summary.replaceAll('`', '').slice(0, 20));
    }
    const examples = all(/<h4>Example<\/h4><pre>([^<]*)<\/pre>/g);
    expect(examples).toHaveLength(ROUTES.length);
  });

  it('shows every schema and every code of an error', () => {
    for (const name of Object.keys(document.components.schemas)) expect(ids).toContain(`schema-${name}`);
    for (const { const: code } of document.components.schemas.ErrorCode?.oneOf ?? []) {
      expect(ids).toContain(`error-${code}`);
    }
  });

  it('links only to places that are there, and to the description itself', () => {
    expect(new Set(ids).size).toBe(ids.length);
    const links = all(/ href="([^"]+)"/g);
    expect(links.length).toBeGreaterThan(100);
    const known = [...ids.map((id) => `#${id}`), '/openapi.json', 'data:,'];
    expect(links.filter((link) => !known.includes(link))).toEqual([]);
  });

  it('fetches nothing and runs nothing', () => {
    expect(page).not.toMatch(/<script|<img|<iframe|<object|<form|<base| on\w+=| src=| style=|@import|url\(/i);
  });

  it('has headings in order, tables with captions and headings, and a way past the navigation', () => {
    const levels = all(/<h([1-6])[ >]/g).map(Number);
    expect(levels.filter((level) => level === 1)).toHaveLength(1);
    for (const [index, level] of levels.entries()) expect(level).toBeLessThanOrEqual((levels[index - 1] ?? 0) + 1);
    expect(all(/<table[^>]*>(?!<caption>)(.{20})/g)).toEqual([]);
    expect(all(/<thead><tr>(?!<th scope="col">)(.{20})/g)).toEqual([]);
    expect(page).toMatch(/<body>\s*<a class="skip" href="#content">/);
    expect(page).toMatch(/<html lang="en">/);
    expect(page).toMatch(/<nav aria-label=/);
  });

  it('closes every element that it opens', () => {
    const open: string[] = [];
    for (const [, slash, name = ''] of page.matchAll(/<(\/?)([a-z]+\d?)[^>]*>/g)) {
      if (['meta', 'link', 'wbr'].includes(name)) continue;
      if (slash) expect(open.pop()).toBe(name);
      else open.push(name);
    }
    expect(open).toEqual([]);
  });
});

describe('hostile text', () => {
  const HOSTILE = '</code></pre></style><script>alert("1")</script><img src=x onerror=\'x\'>&lt;`';

  /** Every text of the document with hostile words in it, names included; what makes it a document stays. */
  function poisoned(value: unknown, key = ''): unknown {
    if (typeof value === 'string') return ['$ref', 'in', 'type', 'operationId'].includes(key) ? value : HOSTILE + value;
    if (Array.isArray(value)) return value.map((entry) => poisoned(entry, key === 'tags' ? '$ref' : key));
    if (typeof value !== 'object' || value === null) return value;
    const keepsNames = ['get', 'post', 'responses', 'content', 'schemas', 'parameters', 'headers'].includes(key);
    return Object.fromEntries(
      Object.entries(value).map(([name, child]) => {
        const isName = key === 'properties' || key === 'paths';
        return [isName && !keepsNames ? `${name}${HOSTILE}` : name, poisoned(child, name)];
      }),
    );
  }

  it('stays text, wherever it stands', () => {
    const { tags, ...rest } = document;
    const hostile = { ...(poisoned(rest) as OpenApiDocument), tags };
    const shown = docsPage(hostile);
    expect(shown.split('alert(').length).toBeGreaterThan(500);
    expect(shown).not.toMatch(/<script|<img/);
    const withoutValues = shown.replace(/="[^"]*"/g, '');
    expect(all(/<[a-z]+\d? ([^>]*)>/g, withoutValues).join(' ')).not.toMatch(/onerror|['"<`]/);
    const elements = (text: string): Set<string> => new Set(all(/<\/?([a-z]+\d?)/g, text));
    expect([...elements(shown)].filter((name) => !elements(page).has(name))).toEqual([]);
  });
});

describe('the example of a call', () => {
  const examples = all(/<h4>Example<\/h4><pre>([^<]*)<\/pre>/g).map(unescaped);

  /** The arguments that a shell gives to curl. */
  function argumentsOf(command: string): string[] {
    const script = `curl() { for one in "$@"; do printf '%s\\0' "$one"; done; }\n${command}`;
    const env = { API: 'http://api.test', API_KEY: 'secret' };
    return execFileSync('sh', ['-c', script], { env, encoding: 'utf8' }).split('\0').slice(0, -1);
  }

  it('is a command that a shell understands, with the body of the description', () => {
    const bodies = examples.map(argumentsOf).map((words) => {
      expect(words.find((word) => word.startsWith('http://api.test/'))).not.toMatch(/[{}]/);
      const at = words.indexOf('-d');
      return at < 0 ? null : (JSON.parse(words[at + 1] ?? '') as unknown);
    });
    const described = Object.values(document.paths).flatMap((item) => Object.values(item));
    const expected = described.flatMap(({ requestBody }) => requestBody?.content['application/json']?.example ?? []);
    expect(bodies.filter((body) => body !== null)).toHaveLength(expected.length);
    for (const body of expected) expect(bodies).toContainEqual(body);
  });

  it('survives quotes in what it sends', () => {
    const text = 'it\'s "quoted" $HOME `date` \\ \n end';
    const path = '/api/workflows/{project_id}/start';
    const post = document.paths[path]?.post;
    const media = { schema: {}, example: { text } };
    const changed = { ...post, requestBody: { required: true, content: { 'application/json': media } } };
    const other = { ...document, paths: { [path]: { post: changed } } } as OpenApiDocument;
    const [command = ''] = all(/<h4>Example<\/h4><pre>([^<]*)<\/pre>/g, docsPage(other)).map(unescaped);
    const words = argumentsOf(command);
    expect(JSON.parse(words[words.indexOf('-d') + 1] ?? '')).toEqual({ text });
  });
});

describe('GET /docs', () => {
  it('answers with the page, to anyone, under a policy that allows its own style and nothing else', async () => {
    const api = await serve();
    const reply = await api.get('/docs');
    expect(reply.status).toBe(200);
    expect(reply.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(reply.text).toBe(page);
    const [style = ''] = all(/<style>([^<]*)<\/style>/g);
    const hash = createHash('sha256').update(style).digest('base64');
    const policy = (reply.headers.get('content-security-policy') ?? '').split(';');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`style-src 'sha256-${hash}'`);
    expect(policy.join(';')).not.toMatch(/unsafe|script-src|upgrade-insecure/);
  });
});
