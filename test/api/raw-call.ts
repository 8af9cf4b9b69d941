import { type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';

export type RawReply = Readonly<{ status: number; headers: IncomingHttpHeaders; text: string }>;

/** A call with headers that `fetch` does not let through. A body that is announced, but not given, never comes. */
export function rawCall(
  port: number,
  path: string,
  options: Readonly<{ method?: string; headers?: Record<string, string>; body?: string }> = {},
): Promise<RawReply> {
  const { method = 'GET', headers = {}, body } = options;
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers }, (res) => {
      let text = '';
      res.setEncoding('utf8');
      res.on('data', (chunk: string) => {
        text += chunk;
      });
      res.on('end', () => {
        sent.destroy();
        resolve({ status: res.statusCode ?? 0, headers: res.headers, text });
      });
      res.on('error', reject);
    });
    sent.on('error', reject);
    if (headers['content-length'] !== undefined && body === undefined) sent.flushHeaders();
    else sent.end(body);
  });
}

/** Sends these bytes as they are, and gives all that came until the server closed the connection. */
export function rawExchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect({ host: '127.0.0.1', port }, () => socket.write(bytes));
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
}
