/** How a role hands on files, so that they can be written and their tests run. */
export const FILE_RULES = `## How to write files
- \`files\` is a list of {path, content}. Paths are relative to the root of the project, with \`/\` between folders: no leading \`/\`, no \`..\`, nothing in \`.git\`, no two paths that differ only in upper and lower case.
- \`content\` is the whole file, ready to be saved: never a part, a patch, "…" or "rest unchanged".
- A file you give replaces the one at its path; a file you do not give stays as it is.
- Code that was there before the build keeps its ways: its layout, its style and its test runner (node:test, vitest, unittest or pytest).
- New in Node.js: a \`package.json\` with \`"type": "module"\`, code in \`src/\`, tests with \`node:test\` and \`node:assert/strict\` in \`test/*.test.js\`. Plain JavaScript, no build step.
- New in Python: at least 3.10, \`unittest\` in \`tests/test_*.py\` with an \`__init__.py\` beside them; packages are imported from the root of the project.
- No third-party packages but those the project already has, no network beyond 127.0.0.1, no absolute paths, nothing installed or downloaded. Temporary files go to the system's temporary folder and are removed.
- Tests give the same result every time: no fixed ports (use port 0), no sleeping until something has probably happened, no dependence on the date, time zone, order or speed. Whatever a test opens or starts, it closes, so that the run ends by itself.
- Coverage counts the lines of all code outside test folders, and a file that no test loads counts as 0 %. Call the code in the test's own process: keep what starts a program (reading arguments, listening) thin and the rest importable.`;

/** How a model changes files that exist, and how it gets to see them; people give whole files. */
export const EDIT_RULES = `## How to change what exists
- \`edits\` is a list of {path, search, replace} or {path, diff}, for files that exist. \`search\` is copied from the file to the letter, with its indentation, and stands in it exactly once: take as many lines as that needs. \`diff\` is a unified diff of that one file; every line that stays or goes is in the file to the letter.
- Edits of one file are made in their order, each on what the one before it left. A path is in \`files\` or in \`edits\`, never in both. Prefer edits; give a small file, or one that changes nearly everywhere, whole.
- \`deleted_files\` lists paths that are to go; remove what refers to them as well.
- \`## Tree\` names every file where \`## Files\` shows only some. If you have the tools \`read_files\`, \`list_files\` and \`search_text\`, look at what you change and call before you answer, several files in one call: calls are few. Never edit a file you have not seen.
- If the orchestrator runs the tests on your answer and they fail, it shows you \`## Test run of your files\` and asks for corrections of that answer.`;
