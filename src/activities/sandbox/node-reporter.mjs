// A reporter for `node --test` that writes one JSON line per test, one for the coverage, and a seal over all of them. It
// runs inside the test runner's process and has nothing but built-ins, so that it works on every Node the product supports
// and in a sandbox. The runner waits for it before it starts the first file of the project, and opens no debugger on a signal,
// through which a test could write into this process.
import { createHmac } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const DESTINATION = /^--test-reporter-destination=(\/.*)$/;
const destination = process.execArgv.map((argument) => DESTINATION.exec(argument)?.[1]).find(Boolean);
const keyFile = join(dirname(destination), 'report.key');
const seal = createHmac('sha256', readFileSync(keyFile, 'utf8'));
rmSync(keyFile);

export default async function* report(events) {
  for await (const line of linesOf(events)) {
    const text = `${JSON.stringify(line)}\n`;
    seal.update(text);
    yield text;
  }
  yield `${seal.digest('hex')}\n`;
}

async function* linesOf(events) {
  const names = new Map();
  const complaints = new Map();
  const open = new Map();
  let coverage = null;
  for await (const { type, data } of events) {
    if (type === 'test:enqueue') countOpen(open, data, 1);
    else if (type === 'test:start') rememberName(names, data);
    else if (type === 'test:stderr') rememberComplaint(complaints, data);
    else if (type === 'test:pass' || type === 'test:fail') {
      countOpen(open, data, -1);
      const line = lineOf(type, data, names, complaints);
      if (line !== null) yield line;
      // A test may send events as well as its process does: the runner's own figures come last.
    } else if (type === 'test:coverage') coverage = data.summary;
  }
  if (coverage !== null) yield coverageOf(coverage);
  for (const [file, { seen, left }] of open) yield { kind: 'file', path: file, seen, left };
}

const isWholeFile = ({ nesting, name, file }) => nesting === 0 && file !== undefined && resolve(name) === file;

// A file whose process ends early leaves tests that were announced and never ended.
function countOpen(open, data, step) {
  if (data.file === undefined) return;
  const counts = open.get(data.file) ?? { seen: 0, left: 0 };
  if (!isWholeFile(data)) {
    counts.left += step;
    if (step > 0) counts.seen += 1;
  }
  open.set(data.file, counts);
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
  const wholeFile = isWholeFile(data);
  const isSuite = data.details.type === 'suite';
  const name = [...(names.get(data.file) ?? []).slice(0, data.nesting), data.name].join(' > ');
  // A failure that is marked as to do counts for nothing, so neither does its success.
  if (isCounted(data.skip) || isCounted(data.todo)) return isSuite ? null : { kind: 'skip', name };
  if (type === 'test:pass') return wholeFile || isSuite ? null : { kind: 'pass', name };
  const error = data.details.error ?? {};
  // Its children have said it already.
  if (error.failureType === 'subtestsFailed') return isSuite ? null : { kind: 'parent', name };
  const reason = (wholeFile ? complaints.get(data.file) : undefined) ?? messageOf(error);
  return { kind: wholeFile || isSuite ? 'broken' : 'fail', name, reason };
}

const isCounted = (mark) => mark !== undefined && mark !== false;

function messageOf(error) {
  const { cause } = error;
  if (typeof cause === 'object' && cause !== null && typeof cause.message === 'string') return cause.message;
  return cause === undefined ? String(error.message) : String(cause);
}

// Counted from the lines, because the summary's own figure takes lines that a comment excludes for covered ones.
function coverageOf(summary) {
  const files = summary.files.map((file) => ({
    path: file.path,
    covered: (file.lines ?? []).filter((line) => line.count > 0).map((line) => line.line),
  }));
  return { kind: 'coverage', files };
}
