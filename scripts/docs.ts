import { readFileSync, writeFileSync } from 'node:fs';
import prettier from 'prettier';
import { GENERATED } from './generated-docs.ts';

/** Writes the parts of the documents that are made from the code. A test fails when they are not what the code says. */
for (const { file, marker, rows } of GENERATED) {
  const [begin, end] = [`<!-- ${marker} -->`, `<!-- /${marker} -->`];
  const text = readFileSync(file, 'utf8');
  const [from, to] = [text.indexOf(begin) + begin.length, text.indexOf(end)];
  if (to < from) throw new Error(`${file} has no place for ${marker}`);
  const written = `${text.slice(0, from)}\n\n${rows.join('\n')}\n\n${text.slice(to)}`;
  writeFileSync(file, await prettier.format(written, { parser: 'markdown', ...(await prettier.resolveConfig(file)) }));
}
