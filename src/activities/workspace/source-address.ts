import { lookup } from 'node:dns/promises';
import { AppError } from '../../errors.ts';
import { gitUrlFault } from '../../machine/source.ts';
import { addressFault, literalAddress } from '../../network-addresses.ts';
import { within } from '../../within.ts';

/** The parts of a repository's address that decide where git connects to. */
type Parts = Readonly<{ scheme: string; host: string; port: number | null }>;

/** How git is told an address: the settings, the environment and the address itself. */
export type Remote = Readonly<{
  url: string;
  settings: readonly string[];
  env: Readonly<Record<string, string>>;
  /** Whether git must know `http.curloptResolve`, or it would look the host up again. */
  isBoundByCurl: boolean;
}>;

const URL_FORM = /^([a-z]+):\/\/(?:[^/@]*@)?(\[[^\]]+\]|[^/:]+)(?::(\d+))?(\/.*)$/;
const SCP_FORM = /^(?:[^/@:]+@)?(\[[^\]]+\]|[^/:]+):/;
const WEB_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };
const LOOKUP_TIMEOUT_MS = 10_000;

/**
 * A host goes into commands, so the rules of a start are asked once more: a run may be started by hand.
 *
 * @throws AppError `source_unusable` for what is no address
 */
function partsOf(url: string): Parts {
  const fault = gitUrlFault(url);
  if (fault !== null) throw new AppError('source_unusable', `The address of the source ${fault}.`);
  const [, scheme, host, port] = URL_FORM.exec(url) ?? [];
  if (scheme !== undefined && host !== undefined) {
    return { scheme, host: unbracketed(host), port: port === undefined ? null : Number(port) };
  }
  return { scheme: 'ssh', host: unbracketed(SCP_FORM.exec(url)?.[1] ?? ''), port: null };
}

const unbracketed = (host: string): string => host.replace(/^\[(.*)\]$/, '$1');

/**
 * How git is to fetch from an address. Unless private addresses are allowed, the host is looked up here and git is bound to
 * the address that was found to be public: looked up again, the name might lead elsewhere.
 *
 * @throws AppError `source_unusable` when the host is private; `source_unreachable` when it is not found
 */
export async function remoteOf(url: string, privateAddresses: boolean): Promise<Remote> {
  const parts = partsOf(url);
  const settings = [
    'protocol.allow=never',
    `protocol.${parts.scheme}.allow=always`,
    // A redirect could lead to where the address itself may not.
    'http.followRedirects=false',
    'credential.helper=',
    // What brings less than 1 kB a second for half a minute has stopped.
    'http.lowSpeedLimit=1000',
    'http.lowSpeedTime=30',
    'ssh.variant=ssh',
    'fetch.unpackLimit=1',
  ];
  const ssh = 'ssh -o BatchMode=yes -o ConnectTimeout=20';
  if (privateAddresses)
    return { url, settings: [...settings, `core.sshCommand=${ssh}`], env: {}, isBoundByCurl: false };
  const address = await publicAddressOf(parts.host);
  const bound = `${ssh} -o HostName=${address} -o HostKeyAlias=${parts.host} -o ProxyCommand=none -o ProxyJump=none`;
  switch (parts.scheme) {
    case 'ssh':
      return { url, settings: [...settings, `core.sshCommand=${bound}`], env: {}, isBoundByCurl: false };
    case 'git':
      return {
        url: boundUrl(url, address),
        settings,
        env: { GIT_OVERRIDE_VIRTUAL_HOST: parts.host },
        isBoundByCurl: false,
      };
    default: {
      const rules = resolveRules(parts, address);
      return { url, settings: [...settings, ...rules], env: {}, isBoundByCurl: rules.length > 0 };
    }
  }
}

const bracketed = (address: string): string => (address.includes(':') ? `[${address}]` : address);

/** A name is bound to its address; an address needs no binding. */
const resolveRules = ({ scheme, host, port }: Parts, address: string): string[] =>
  literalAddress(host) === null
    ? [`http.curloptResolve=${host}:${port ?? WEB_PORTS[scheme]}:${bracketed(address)}`]
    : [];

const boundUrl = (url: string, address: string): string =>
  url.replace(URL_FORM, (_, scheme: string, _host: string, port: string | undefined, path: string) => {
    return `${scheme}://${bracketed(address)}${port === undefined ? '' : `:${port}`}${path}`;
  });

async function publicAddressOf(host: string): Promise<string> {
  const literal = literalAddress(host);
  const addresses = literal === null ? await lookedUp(host) : [literal];
  for (const address of addresses) {
    const fault = addressFault(address);
    if (fault === null) continue;
    throw new AppError(
      'source_unusable',
      `The source ${JSON.stringify(host)} leads to ${fault}, from where no code is fetched: give a public address, or have the operator set SOURCE_PRIVATE_ADDRESSES=allowed.`,
    );
  }
  const [first] = addresses;
  if (first === undefined) throw notFound(host);
  return first;
}

async function lookedUp(host: string): Promise<string[]> {
  try {
    const found = await within(lookup(host, { all: true, verbatim: true }), LOOKUP_TIMEOUT_MS);
    return found.map(({ address }) => address);
  } catch {
    throw notFound(host);
  }
}

const notFound = (host: string): AppError =>
  new AppError(
    'source_unreachable',
    `The host ${JSON.stringify(host)} of the source was not found: is its name right?`,
  );

/** Whether a git, by what it says of its version, can be bound to an address: older ones pass over the setting in silence. */
export function bindsByCurl(version: string): boolean {
  const [, major = '0', minor = '0'] = /^git version (\d+)\.(\d+)/.exec(version) ?? [];
  return Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 37);
}
