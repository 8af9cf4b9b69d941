const SYMBOLS = [
  [1000, 'M'],
  [900, 'CM'],
  [500, 'D'],
  [400, 'CD'],
  [100, 'C'],
  [90, 'XC'],
  [50, 'L'],
  [40, 'XL'],
  [10, 'X'],
  [9, 'IX'],
  [5, 'V'],
  [4, 'IV'],
  [1, 'I'],
];

const NUMERAL = /^M{0,3}(CM|CD|D?C{0,3})(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})$/;
const LETTER_VALUES = { I: 1, V: 5, X: 10, L: 50, C: 100, D: 500, M: 1000 };

/** Writes a whole number from 1 to 3999 as a Roman numeral. */
export function toRoman(number) {
  if (!Number.isInteger(number) || number < 1 || number > 3999) {
    throw new RangeError(`${number} is not a whole number from 1 to 3999`);
  }
  let rest = number;
  let numeral = '';
  for (const [value, symbol] of SYMBOLS) {
    while (rest >= value) {
      numeral += symbol;
      rest -= value;
    }
  }
  return numeral;
}

/** Reads a Roman numeral in its usual form, in either case. */
export function fromRoman(text) {
  const numeral = String(text).toUpperCase();
  if (numeral === '' || !NUMERAL.test(numeral)) throw new SyntaxError(`"${text}" is not a Roman numeral`);
  const values = [...numeral].map((letter) => LETTER_VALUES[letter]);
  // A letter before a larger one is taken away: the I of IV.
  return values.reduce((sum, value, i) => (value < (values[i + 1] ?? 0) ? sum - value : sum + value), 0);
}
