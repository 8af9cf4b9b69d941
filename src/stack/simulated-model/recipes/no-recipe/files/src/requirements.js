/** The requirements as they were given; the simulated model has no recipe for them. */
export const requirements = 'REQUIREMENTS_TEXT';

/** Gives a text on one line, at most maxChars long; what is left out is shown by an ellipsis. */
export function outline(maxChars, text = requirements) {
  if (!Number.isInteger(maxChars) || maxChars < 1) {
    throw new RangeError(`${maxChars} is not a whole number of at least 1`);
  }
  const chars = [...text.trim().replace(/\s+/g, ' ')];
  if (chars.length <= maxChars) return chars.join('');
  return `${chars.slice(0, maxChars - 1).join('')}…`;
}
