/** Names of the properties boltseal writes into documents, and reads from them. The README's table is this one. */
export const PROPERTIES = {
  /** On the image. */
  manifestDigest: 'boltseal:image:manifestDigest',
  indexDigest: 'boltseal:image:indexDigest',
  configDigest: 'boltseal:image:configDigest',
  platform: 'boltseal:image:platform',
  /** `INDEX DIFFID`, one a layer, lowest first. */
  layerDiffId: 'boltseal:image:layerDiffID',
  /** `INDEX DIGEST`, of the blob as it is stored. */
  layerDigest: 'boltseal:image:layerDigest',
  /** A prefix: the label's name follows. */
  label: 'boltseal:image:label:',
  /** On the document: JSON of {path, layer?, cataloger, reason}; what was there and could not be read. */
  unknown: 'boltseal:unknown',
  /** On the document: `NAME VERSION` of what looked. */
  cataloger: 'boltseal:cataloger',

  /** On a package. */
  packageType: 'boltseal:package:type',
  layerIndex: 'boltseal:package:layerIndex',
  layerDiffIdOfPackage: 'boltseal:package:layerDiffID',
  sourceName: 'boltseal:package:sourceName',
  sourceVersion: 'boltseal:package:sourceVersion',
  architecture: 'boltseal:package:architecture',
  /** The purl of the operating-system package that installed it. */
  ownedBy: 'boltseal:package:ownedBy',
  /** A prefix: the scheme follows. */
  checksum: 'boltseal:package:checksum:',
} as const;
