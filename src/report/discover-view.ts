import type { Discovery } from '../actions/discover-image.ts';
import { predicateTypeName } from '../intoto/predicate-types.ts';
import type { ReferrerNode } from '../referrers/discover.ts';
import { jsonDocument } from './json-view.ts';

const PREDICATE_TYPE = 'dev.sigstore.bundle.predicateType';

/** A tree: one line per referrer with its type, predicate type, size and digest. */
export const discoverView = {
  text: ({ reference, tree }: Discovery): string =>
    [reference, ...branches(tree.referrers, '')].join('\n') +
    (tree.referrers.length === 0 ? '\n└── nothing refers to it\n' : '\n'),
  json: ({ reference, digest, mediaType, tree }: Discovery): string =>
    jsonDocument('DiscoverResult', { reference, digest, mediaType, referrers: tree.referrers }),
} as const;

function branches(nodes: readonly ReferrerNode[], indent: string): readonly string[] {
  return nodes.flatMap((node, at) => {
    const last = at === nodes.length - 1;
    const trouble = node.rejected ?? node.unexplored;
    const below = indent + (last ? '    ' : '│   ');
    return [
      `${indent}${last ? '└── ' : '├── '}${describe(node)}`,
      ...(trouble === undefined
        ? []
        : [`${below}${node.rejected === undefined ? 'not explored' : 'does not count'}: ${trouble}`]),
      ...branches(node.referrers, below),
    ];
  });
}

function describe({ digest, descriptor }: ReferrerNode): string {
  const predicateType = descriptor?.annotations?.[PREDICATE_TYPE];
  const type = descriptor?.artifactType ?? descriptor?.mediaType ?? 'unknown type';
  const name = predicateType === undefined ? '' : `${predicateTypeName(predicateType)}  `;
  return `${name}${type}  ${descriptor === undefined ? '' : `${descriptor.size} bytes  `}${digest}`;
}
