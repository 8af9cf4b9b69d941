import { createHash } from 'node:crypto';

const SAFE = /^[a-z0-9](?:[a-z0-9_-]|\.(?=[a-z0-9])){0,63}$/;
// What looks like a name made here is not taken as it is: it could be that of another text.
const MADE = /-[0-9a-f]{12}$/;
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/;

/**
 * A name for one folder and one part of a git tag, from text that may be hostile. A text that is safe as it is stays so;
 * any other gets a mark made from the whole text, so that no two texts share a name.
 */
export function safeName(text: string): string {
  if (SAFE.test(text) && !MADE.test(text) && !DEVICE.test(text)) return text;
  const words = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40)
    .replace(/-+$/, '');
  const mark = createHash('sha256').update(text).digest('hex').slice(0, 12);
  return `${words === '' ? 'x' : words}-${mark}`;
}
