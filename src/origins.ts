/** Names under which only this machine reaches itself. */
export const LOOPBACK_HOSTS = ['127.0.0.1', 'localhost', '::1'] as const;

/** The host of a URL or origin in lower case, without the brackets of IPv6; null for what is no URL. */
function hostOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[(.*)\]$/, '$1') : null;
}

/** True for URLs and origins of this machine, on any port. */
export function isLoopbackUrl(url: string): boolean {
  const host = hostOf(url);
  return LOOPBACK_HOSTS.some((name) => name === host);
}

/** The fault of one origin, told without its text: an address may hold a password. */
function originFault(text: string, place: number): string | null {
  const rule = `entry ${place} must be an origin as browsers send it, scheme://host[:port] with http or https`;
  if (text === '*') return `${rule}: every origin is not taken, so name those that may call`;
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return rule;
  const { origin } = new URL(text);
  return origin === text ? null : `${rule}: write ${origin}`;
}

/** Reads the value of CORS_ORIGINS, origins separated by commas. Every fault is listed. */
export function readOrigins(text: string): Readonly<{ origins: readonly string[]; faults: readonly string[] }> {
  const origins = text
    .split(',')
    .map((origin) => origin.trim())
    .filter((origin) => origin !== '');
  const faults = origins.map((origin, index) => originFault(origin, index + 1)).filter((fault) => fault !== null);
  return { origins: [...new Set(origins)], faults };
}
