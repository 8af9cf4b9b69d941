/** Collects a stream within a bound of memory. */
export type Output = Readonly<{
  /** False when the chunk did not fit; with a tail everything fits, the oldest bytes go. */
  add(chunk: Buffer): boolean;
  content(): Buffer;
}>;

export function createOutput(limitBytes: number, keepsTail: boolean): Output {
  let chunks: Buffer[] = [];
  let bytes = 0;
  const tail = (): Buffer => {
    const all = Buffer.concat(chunks);
    return all.subarray(Math.max(0, all.length - limitBytes));
  };
  return {
    add(chunk) {
      if (!keepsTail && bytes + chunk.length > limitBytes) return false;
      chunks.push(chunk);
      bytes += chunk.length;
      // Compacted only at twice the limit, so that many small chunks cost no more than few large ones.
      if (keepsTail && bytes > 2 * limitBytes) {
        const kept = Buffer.from(tail());
        chunks = [kept];
        bytes = kept.length;
      }
      return true;
    },
    content: () => (keepsTail ? tail() : Buffer.concat(chunks)),
  };
}
