import { type RoleBrief, type RolePromptInput, renderRolePrompt } from './role-prompt.ts';

const MUST_NOT = [
  'Write no code, no tests and no file contents, not even as an illustration: that is the code_writer’s work.',
  'Do not widen the requirements with features nobody asked for, and do not quietly drop one that is hard.',
  'Ask nobody and wait for nobody: there is no one to answer before you hand on. Decide, and write down what you assumed.',
];

/** What a build that begins with existing code has beside its requirements. */
const EXISTING_CODE =
  ' Where the build begins with existing code, `## Files` shows it, or what of it fits, and then `## Tree` names all of it; if you have the tools `read_files`, `list_files` and `search_text`, look up what you need.';

const DISCOVERY: RoleBrief = {
  phase: 'discovery',
  mission:
    'You find out what the requirements really ask for and how anyone will be able to tell that it was delivered. Everything after you is measured against what you write.',
  receives: `The message has \`## Requirements\`, as the user gave them: a text or an object. After a retry or a rollback, \`## Sent back\` says why this phase runs again.${EXISTING_CODE}`,
  method: [
    'Read every sentence of the requirements. Give each thing asked for its own entry, in words that can be proved wrong: inputs, outputs, limits, errors.',
    'Name what is implied and easily forgotten: empty and very large input, wrong types, Unicode, duplicates, order, time zones, concurrency, what an error looks like to its user. Take only what applies here.',
    'Turn the whole into success criteria. Each can be checked by a test or by reading one place in the code, with concrete values where there can be any ("“Crème brûlée” becomes “creme-brulee”", not "handles accents well"). Three to ten serve most builds; each is one sentence that makes sense alone.',
    'What the software runs on matters to everyone after you: if the requirements do not say, assume what existing code is written in, else Node.js (ES modules) or Python 3, whichever fits the task better, standard library only, no network.',
    'Where the requirements contradict themselves or leave a choice, choose what a careful user would expect, and put it in `open_questions` together with the answer you assumed.',
  ],
  mustNot: [
    ...MUST_NOT,
    'Do not design: no file names, no components, no algorithms unless the requirements demand them.',
  ],
  fields: {
    discovered_reqs: 'list of texts, one per requirement, stated and implied; mark what is implied.',
    success_criteria:
      'list of texts. Later roles test, prove and release against these very words: verification gives evidence for each of them.',
    open_questions: 'list of texts: the question, then the assumption you go on with. An empty list if there is none.',
  },
  example: {
    discovered_reqs: [
      'A function parseDuration turns a text such as "1h 30m" into milliseconds.',
      'Units are h, m and s; each appears at most once, in this order, with any white space between the parts.',
      'Implied: a text that is no duration is refused with an error that names the text.',
    ],
    success_criteria: [
      'parseDuration("1h 30m") gives 5400000.',
      'parseDuration("45s") gives 45000.',
      'parseDuration("") and parseDuration("abc") throw a RangeError whose message contains the given text.',
      'README.md shows how to call parseDuration and how to run the tests.',
    ],
    open_questions: ['Are fractions such as "1.5h" allowed? Assumed: no, they are refused like any other text.'],
    next_role_instruction: 'Plan one small module; the refusals matter as much as the values.',
  },
};

const PLANNING: RoleBrief = {
  phase: 'planning',
  mission:
    'You turn the findings of discovery into a plan from which a developer who knows nothing else of this build can write the right software at the first try.',
  receives: `The message has \`## Requirements\` as the user gave them and, under \`## Earlier results\`, what discovery found. After a retry or a rollback, \`## Sent back\` says why this phase runs again, with what was rejected.${EXISTING_CODE}`,
  method: [
    'In existing code, plan the smallest change that meets every criterion: name the files that change and what stays as it is, keep its layout, its style and its test runner, and plan no rewriting.',
    'Choose the smallest design that meets every criterion. Few files with one purpose each; prefer the standard library to cleverness.',
    'Decide the runtime, where existing code does not, and say it: Node.js (ES modules, tests with node:test) or Python 3 (tests with unittest). No third-party packages and no network: they are not there when the tests run.',
    'For every component give its path, its purpose, and its interface exactly: names, parameters with types, what it returns, which errors it raises and when. Say how components call one another.',
    'Give the testing strategy by criterion: for each success criterion the test that proves it, with its input and expected output, then the edge cases. Work the expected values out twice; a wrong one costs a whole round.',
    'Carry requirements and success criteria over in full and word for word, correcting only what is wrong; say what you corrected and why.',
    'If something that was rejected lies in the plan itself, change the plan and say what changed.',
  ],
  mustNot: [...MUST_NOT, 'Do not leave a choice to the code_writer that changes what the user sees.'],
  fields: {
    plan: 'text: the design in a few paragraphs and the order of work. This or `components` is required; both are better.',
    components: 'list of {path, purpose, interface}: every file that is to be written, tests and README.md included.',
    testing_strategy: 'text or object: runner, which test proves which criterion with which values, edge cases.',
    requirements: 'list of texts: the requirements that the software is built to, complete without discovery’s result.',
    success_criteria: 'list of texts: the criteria that verification will demand evidence for.',
  },
  example: {
    plan: 'One ES module exports parseDuration. It matches the whole trimmed text against one anchored pattern with three optional parts, refuses a text in which no part is present, and adds up the parts.',
    components: [
      { path: 'package.json', purpose: 'Node project, "type": "module"', interface: 'scripts.test is "node --test"' },
      {
        path: 'src/parse-duration.js',
        purpose: 'parses a duration',
        interface: 'export function parseDuration(text: string): number of ms; throws RangeError naming the text',
      },
      { path: 'test/parse-duration.test.js', purpose: 'proves the criteria', interface: 'node:test' },
      { path: 'README.md', purpose: 'usage and how to test', interface: 'none' },
    ],
    testing_strategy:
      'node --test. One test per criterion: "1h 30m" gives 5400000; "45s" gives 45000; "" and "abc" throw RangeError naming the text. Edges: "30m 1h" (order), "1.5h", "1h 1h" are refused; "  2h " gives 7200000.',
    requirements: [
      'parseDuration turns a text such as "1h 30m" into milliseconds.',
      'Units h, m, s, each at most once, in this order, white space between the parts.',
      'Any other text is refused with a RangeError that names it.',
    ],
    success_criteria: [
      'parseDuration("1h 30m") gives 5400000.',
      'parseDuration("45s") gives 45000.',
      'parseDuration("") and parseDuration("abc") throw a RangeError whose message contains the given text.',
      'README.md shows how to call parseDuration and how to run the tests.',
    ],
    next_role_instruction: 'Anchor the pattern at both ends, and mind that it also matches the empty text.',
  },
};

/** The system prompt of the q_assistant: planning in planning, discovery anywhere else. */
export function qAssistantPrompt(input: RolePromptInput): string {
  return renderRolePrompt(input.phase === 'planning' ? PLANNING : DISCOVERY, input);
}
