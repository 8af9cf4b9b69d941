import type { BuildSpec, Content } from './build.ts';
import { isJsonObject } from './json.ts';
import { isSource } from './source.ts';
import { readRole } from './states.ts';

type Check = (given: unknown) => boolean;

const isText: Check = (given) => typeof given === 'string' && given !== '';
const isNumber: Check = (given) => typeof given === 'number' && Number.isFinite(given);
const isContent = (given: unknown): given is Content =>
  isJsonObject(given) &&
  ((given.kind === 'inline' && given.value !== undefined) || (given.kind === 'artifact' && isJsonObject(given.ref)));
const isBoolean: Check = (given) => typeof given === 'boolean';
/** What builds of before lack. */
const orAbsent =
  (check: Check): Check =>
  (given) =>
    given === undefined || check(given);
const orNull =
  (check: Check): Check =>
  (given) =>
    given === null || check(given);

const FIELDS: Readonly<Record<keyof Required<BuildSpec>, Check>> = {
  workflowId: isText,
  buildId: isText,
  projectId: isText,
  userId: isText,
  requirements: isContent,
  metadata: orNull(isContent),
  model: orNull(isText),
  defaultModels: orAbsent(isJsonObject),
  externalRoles: (given) => Array.isArray(given) && given.every((role) => readRole(role) !== null),
  coverageMin: isNumber,
  maxSendBacks: isNumber,
  activeTimeoutMs: isNumber,
  startDigest: isText,
  simulated: isBoolean,
  rules: orAbsent(isNumber),
  source: orAbsent(isSource),
  mayRunAnyFiles: orAbsent(isBoolean),
  announces: orAbsent(isBoolean),
};

/** Whether it is what a build is made from. The API makes no other; a run that is started by hand may bring anything. */
export const isBuildSpec = (given: unknown): given is BuildSpec =>
  isJsonObject(given) && Object.entries(FIELDS).every(([name, check]) => check(given[name]));
