const IMPORT = /^import (\{[^}]*\}|\w+) from ('[^']+');$/gm;
const EXPORT = /^export (?=(?:async )?(?:function|class|const) (\w+))/gm;

/**
 * An ES module of a recipe as a CommonJS module. Recipes keep to one line per import and to named exports, and so does
 * what this can read.
 */
export function toCommonJs(module: string): string {
  const names = [...module.matchAll(EXPORT)].map(([, name = '']) => name);
  const required = module
    .replace(IMPORT, (_line, what: string, from: string) => `const ${what} = require(${from});`)
    .replace(EXPORT, '');
  const strict = `'use strict';\n\n${required}`;
  return names.length === 0 ? strict : `${strict}\nmodule.exports = { ${names.join(', ')} };\n`;
}
