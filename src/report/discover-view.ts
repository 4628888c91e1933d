import type { Discovery } from '../actions/discover-image.ts';
import { predicateTypeName } from '../intoto/predicate-types.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { formatPlatform } from '../oci/platform.ts';
import type { ImageTreeNode } from '../referrers/image-tree.ts';
import { jsonDocument } from './json-view.ts';

/** A tree: one line per manifest with how it hangs there, its type or platform, predicate types and digest. */
export const discoverView = {
  text: ({ reference, tree }: Discovery): string =>
    [reference, ...branches(tree.below, ''), ...(tree.below.length === 0 ? ['└── nothing hangs on it'] : []), ''].join(
      '\n',
    ),
  json: ({ reference, digest, tree }: Discovery): string => jsonDocument('DiscoverResult', { reference, digest, tree }),
} as const;

function branches(nodes: readonly ImageTreeNode[], indent: string): readonly string[] {
  return nodes.flatMap((node, at) => {
    const last = at === nodes.length - 1;
    const below = indent + (last ? '    ' : '│   ');
    const trouble = node.rejected ?? node.unexplored;
    const said = node.rejected === undefined ? 'not explored' : 'does not count';
    return [
      `${indent}${last ? '└── ' : '├── '}${describe(node)}`,
      ...(trouble === undefined ? [] : [`${below}${said}: ${trouble}`]),
      ...branches(node.below, below),
    ];
  });
}

function describe({ relation, digest, descriptor, contents = [], tag }: ImageTreeNode): string {
  const platform = descriptor?.platform === undefined ? undefined : formatPlatform(descriptor.platform);
  const type = descriptor?.artifactType ?? descriptor?.mediaType ?? 'unknown type';
  const predicates = [...(descriptor === undefined ? [] : [descriptor]), ...contents].flatMap(predicateOf);
  const names = [...new Set(predicates)].map(predicateTypeName).join(', ');
  const words = [
    LABELS[relation],
    relation === 'image' ? (platform ?? type) : [names, type].filter((word) => word !== '').join('  '),
    tag ?? '',
    descriptor === undefined ? '' : `${descriptor.size} bytes`,
    digest,
  ];
  return words.filter((word) => word !== '').join('  ');
}

function predicateOf({ annotations = {} }: Descriptor): readonly string[] {
  return PREDICATE_ANNOTATIONS.flatMap((key) => annotations[key] ?? []);
}

const LABELS = { image: 'image', attestation: 'BuildKit', referrer: '', cosign: 'cosign tag' } as const;
const PREDICATE_ANNOTATIONS = ['dev.sigstore.bundle.predicateType', 'in-toto.io/predicate-type'];
