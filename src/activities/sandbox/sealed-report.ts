import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * A report that only our runner can have written. The key lies in the run's folder until the runner has read and removed
 * it, which it does before it loads the first file of the project; the report's last line is the seal over all before it.
 */
type SealedReport = Readonly<{
  file: string;
  keyFile: string;
  /** The report's text without the seal. `sealed` is false when it was cut off or written over. */
  read(): Promise<Readonly<{ text: string; sealed: boolean }>>;
}>;

export async function sealedReport(runDir: string): Promise<SealedReport> {
  const key = randomBytes(32).toString('hex');
  const file = join(runDir, 'report.jsonl');
  const keyFile = join(runDir, 'report.key');
  await writeFile(keyFile, key);
  return {
    file,
    keyFile,
    async read() {
      const content = await readFile(file, 'utf8').catch(() => '');
      // The last line is cut off when the run was ended.
      const whole = content.slice(0, content.lastIndexOf('\n') + 1);
      const start = whole.lastIndexOf('\n', whole.length - 2) + 1;
      const seal = Buffer.from(whole.slice(start).trim());
      const text = whole.slice(0, start);
      const expected = Buffer.from(createHmac('sha256', key).update(text).digest('hex'));
      const sealed = seal.length === expected.length && timingSafeEqual(seal, expected);
      return { text: sealed ? text : whole, sealed };
    },
  };
}
