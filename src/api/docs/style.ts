import { createHash } from 'node:crypto';
import type { Html } from './html.ts';

const CSS = `
:root {
  --page: #ffffff; --ink: #1c2129; --quiet: #566070; --line: #d8dde5; --soft: #f4f6f9; --link: #1a56b8;
  --get: #1f6b3b; --post: #8a4b08;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171c; --ink: #e4e7ec; --quiet: #a3adbb; --line: #343b46; --soft: #1d2229; --link: #8ab8ff;
    --get: #7fd6a0; --post: #f0b775;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
a { color: var(--link); }
a:focus-visible, summary:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 2px; }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: 1rem; padding: .5rem 1rem; background: var(--page); z-index: 1; }
header { padding: 1.5rem 2rem 1rem; border-bottom: 1px solid var(--line); }
header p { margin: 0; color: var(--quiet); }
h1 { margin: 0; font-size: 1.7rem; }
h2 { margin: 3rem 0 .5rem; font-size: 1.4rem; }
h3 { margin: 0 0 .5rem; font-size: 1.05rem; }
h4 { margin: 1.5rem 0 .4rem; font-size: .95rem; }
.columns { display: flex; align-items: flex-start; }
nav { position: sticky; top: 0; flex: 0 0 20rem; max-height: 100vh; overflow-y: auto; padding: 1.5rem 1rem 2rem 2rem; font-size: .85rem; }
nav ul { list-style: none; margin: 0 0 1rem; padding: 0; }
nav ul ul { margin: .25rem 0 .75rem; }
nav ul ul li { margin: .3rem 0; overflow-wrap: anywhere; }
nav ul ul a { color: var(--ink); text-decoration: none; }
nav ul ul a:hover { text-decoration: underline; }
main { flex: 1; min-width: 0; max-width: 62rem; padding: 1rem 2rem 4rem; }
main:focus { outline: none; }
.call, main section section { margin: 1.5rem 0; padding: 1.25rem 1.5rem; border: 1px solid var(--line); border-radius: 8px; }
.summary { font-weight: 600; margin-top: 0; }
.method { font: 700 .75rem/1 ui-monospace, monospace; }
.method.get { color: var(--get); }
.method.post { color: var(--post); }
.note { color: var(--quiet); font-size: .8rem; font-weight: 400; }
code, pre { font: .875em/1.5 ui-monospace, Menlo, Consolas, monospace; }
code { overflow-wrap: anywhere; }
p > code, li > code, td > code { padding: .1em .3em; background: var(--soft); border-radius: 4px; }
h3 code { font-weight: 700; }
pre { margin: .5rem 0; padding: .8rem 1rem; background: var(--soft); border-radius: 6px; white-space: pre-wrap; overflow-wrap: anywhere; }
table { width: 100%; table-layout: fixed; border-collapse: collapse; margin: .5rem 0; font-size: .9rem; }
caption { text-align: left; color: var(--quiet); font-size: .8rem; padding-bottom: .2rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
thead th { border-top: 0; color: var(--quiet); font-weight: 600; font-size: .8rem; }
tbody th { font-weight: 600; }
th:first-child { width: 28%; }
th:nth-child(2) { width: 24%; }
.codes th:first-child { width: 24%; }
.codes th:nth-child(2) { width: 5rem; }
tr:target, h3:target { background: var(--soft); }
dl { margin: 0; }
dt { font-weight: 600; }
dd { margin: 0 0 .5rem 1.5rem; }
dd p { margin: .2rem 0; }
summary { cursor: pointer; color: var(--link); font-size: .9rem; }
@media (max-width: 60rem) {
  .columns { display: block; }
  nav { position: static; max-height: none; padding: 1rem 1.25rem 0; }
  header, main { padding-left: 1.25rem; padding-right: 1.25rem; }
  .call, main section section { padding: 1rem; }
}
`;

/** The page's style. It is part of the product, so that nothing in it needs escaping. */
export const STYLE: Html = { markup: CSS };

const hash = createHash('sha256').update(CSS, 'utf8').digest('base64');

/**
 * What a browser may do with any answer of the API: show the page with its own style, and nothing else. No scripts, no
 * frames, nothing from anywhere.
 */
export const CONTENT_SECURITY_POLICY = {
  defaultSrc: ["'none'"],
  styleSrc: [`'sha256-${hash}'`],
  imgSrc: ['data:'],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
} as const;
