import { readFileSync, writeFileSync } from 'node:fs';
import { ERROR_CODES } from '../src/base/error-codes.ts';
import prettier from 'prettier';

/** Writes the parts of the README that are made from the code. A test fails when they are not what the code says. */
const rows = Object.entries(ERROR_CODES).map(([code, { exit, meaning }]) => `| \`${code}\` | ${exit} | ${meaning} |`);
const table = ['| code | exit | meaning |', '| --- | --- | --- |', ...rows].join('\n');
const readme = readFileSync('README.md', 'utf8').replace(/(<!-- error-codes -->\n)[\s\S]*(<!-- \/error-codes -->)/, `$1\n${table}\n\n$2`);
writeFileSync('README.md', await prettier.format(readme, { parser: 'markdown', ...(await prettier.resolveConfig('README.md')) }));
