// A reporter for `node --test` that writes one JSON line per test, and one for the coverage. It runs inside the test
// runner's process and has nothing but built-ins, so that it works on every Node the product supports and in a sandbox.
import { resolve } from 'node:path';

export default async function* report(events) {
  const names = new Map();
  const complaints = new Map();
  for await (const { type, data } of events) {
    if (type === 'test:start') rememberName(names, data);
    else if (type === 'test:stderr') rememberComplaint(complaints, data);
    else if (type === 'test:pass' || type === 'test:fail') {
      const line = lineOf(type, data, names, complaints);
      if (line !== null) yield `${JSON.stringify(line)}\n`;
    } else if (type === 'test:coverage') yield `${JSON.stringify(coverageOf(data.summary))}\n`;
  }
}

function rememberName(names, { file, nesting, name }) {
  const path = names.get(file) ?? [];
  path[nesting] = name;
  names.set(file, path.slice(0, nesting + 1));
}

// A file that cannot be loaded says why on stderr only.
function rememberComplaint(complaints, { file, message }) {
  const text = message.trim();
  if (/^(?:[A-Za-z]*Error\b|Uncaught)/.test(text)) complaints.set(resolve(file), text);
}

function lineOf(type, data, names, complaints) {
  const isWholeFile = data.nesting === 0 && data.file !== undefined && resolve(data.name) === data.file;
  const isSuite = data.details.type === 'suite';
  const ran = data.skip === undefined && data.todo === undefined;
  if (!ran) return null;
  if (type === 'test:pass') return isWholeFile || isSuite ? null : { kind: 'pass' };
  const error = data.details.error ?? {};
  // Its children have said it already.
  if (error.failureType === 'subtestsFailed') return isSuite ? null : { kind: 'parent' };
  const name = [...(names.get(data.file) ?? []).slice(0, data.nesting), data.name].join(' > ');
  const reason = (isWholeFile ? complaints.get(data.file) : undefined) ?? messageOf(error);
  return { kind: isWholeFile || isSuite ? 'broken' : 'fail', name, reason };
}

function messageOf(error) {
  const { cause } = error;
  if (typeof cause === 'object' && cause !== null && typeof cause.message === 'string') return cause.message;
  return cause === undefined ? String(error.message) : String(cause);
}

// Counted from the lines, because the summary's own figure takes lines that a comment excludes for covered ones.
function coverageOf(summary) {
  const files = summary.files.map((file) => ({
    path: file.path,
    total: file.totalLineCount,
    covered: file.lines?.filter((line) => line.count > 0).length ?? file.coveredLineCount,
  }));
  return { kind: 'coverage', files };
}
