import { createHash } from 'node:crypto';

/** Namespace of the product's ids. Changing it would let every build_id be started a second time: never do. */
const BUILD_NAMESPACE = '7f3c1b7e-52a4-4d0b-9a66-0c4d8e5b2f19';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The id of the one workflow that a build_id can ever have: a UUIDv5 (RFC 9562). */
export function workflowIdOf(buildId: string): string {
  const namespace = Buffer.from(BUILD_NAMESPACE.replaceAll('-', ''), 'hex');
  const bytes = createHash('sha1').update(namespace).update(buildId, 'utf8').digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** False for ids that no build can have: other workflows of the same namespace are none of the API's business. */
export const isWorkflowId = (text: string): boolean => UUID.test(text);
