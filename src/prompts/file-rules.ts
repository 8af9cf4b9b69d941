/** How a role hands on files, so that they can be written and their tests run. */
export const FILE_RULES = `## How to write files
- \`files\` is a list of {path, content}. Paths are relative to the root of the project, with \`/\` between folders: no leading \`/\`, no \`..\`, nothing in \`.git\`, no two paths that differ only in upper and lower case.
- \`content\` is the whole file, ready to be saved: never a part, a patch, "…" or "rest unchanged".
- A file you give replaces the one at its path; a file you do not give stays as it is. Files cannot be deleted: empty one that is no longer wanted, and remove what refers to it.
- Node.js: a \`package.json\` with \`"type": "module"\`, code in \`src/\`, tests with \`node:test\` and \`node:assert/strict\` in \`test/*.test.js\`. Plain JavaScript, no build step.
- Python: at least 3.10, \`unittest\` in \`tests/test_*.py\` with an \`__init__.py\` beside them; packages are imported from the root of the project.
- No third-party packages, no network beyond 127.0.0.1, no absolute paths, nothing installed or downloaded. Temporary files go to the system's temporary folder and are removed.
- Tests give the same result every time: no fixed ports (use port 0), no sleeping until something has probably happened, no dependence on the date, time zone, order or speed. Whatever a test opens or starts, it closes, so that the run ends by itself.
- Coverage counts the lines of all code outside test folders, and a file that no test loads counts as 0 %. Call the code in the test's own process: keep what starts a program (reading arguments, listening) thin and the rest importable.`;
