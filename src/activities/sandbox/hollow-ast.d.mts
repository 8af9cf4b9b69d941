import type { Node } from 'acorn';

/**
 * What a function gives whose body was taken out: a test that expects the one does not expect the other. With `object`,
 * constructors do nothing either and exported values are such objects too, where that leaves code that can be loaded.
 */
export type Hollow = 'undefined' | 'object';

/**
 * The program's text with the body of every function taken out; of one without functions the values of exported variables.
 * Null when it has nothing of these.
 */
export function hollowedProgram(
  text: string,
  program: Node,
  gives: Hollow,
): Readonly<{ text: string; functions: number }> | null;
