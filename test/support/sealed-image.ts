import {
  buildImage,
  buildIndex,
  buildLayer,
  buildReferrer,
  type BuiltImage,
  type ListedImage,
} from './image-builder.ts';

/** An index of two platforms with everything that people hang on images, as one layout holds it. */
export interface SealedImage {
  readonly index: BuiltImage;
  readonly amd64: BuiltImage;
  readonly arm64: BuiltImage;
  /** BuildKit's, a child of the index beside the image it is about. */
  readonly attestation: BuiltImage;
  /** Refers to the index. */
  readonly sbom: BuiltImage;
  /** Refers to the SBOM. */
  readonly sbomSignature: BuiltImage;
  /** Refers to the image for arm64. */
  readonly report: BuiltImage;
  /** What cosign's tag of the image for amd64 stands for. */
  readonly cosign: BuiltImage;
  readonly cosignTag: string;
  /** For `writeLayout`. */
  readonly listed: readonly ListedImage[];
  readonly all: readonly BuiltImage[];
}

export function buildSealedImage(name = 'app'): SealedImage {
  const base = buildLayer([{ path: 'base', body: 'shared by both' }]);
  const platformImage = (architecture: string): BuiltImage =>
    buildImage({
      layers: [base, buildLayer([{ path: 'bin/app', body: `${name} for ${architecture}` }])],
      platform: { os: 'linux', architecture },
    });
  const [amd64, arm64] = [platformImage('amd64'), platformImage('arm64')];
  const attestation = attestationAbout(amd64);
  const index = buildIndex([amd64, arm64, attestation], { annotations: { name } });
  const sbom = buildReferrer(index, 'application/vnd.cyclonedx+json', `{"name":"${name}"}`);
  const sbomSignature = buildReferrer(sbom, 'application/vnd.dev.sigstore.bundle.v0.3+json', '{"signed":"sbom"}');
  const report = buildReferrer(arm64, 'application/sarif+json', '{"for":"arm64"}');
  const cosign = buildImage({
    layers: [buildLayer([{ path: 'sig', body: name }])],
    manifest: { annotations: { old: 'way' } },
  });
  const cosignTag = `${amd64.digest.replace(':', '-')}.sig`;
  const listed = [
    { image: index, tag: '1' },
    { image: sbom },
    { image: sbomSignature },
    { image: report },
    { image: cosign, tag: cosignTag },
  ];
  const all = [index, amd64, arm64, attestation, sbom, sbomSignature, report, cosign];
  return { index, amd64, arm64, attestation, sbom, sbomSignature, report, cosign, cosignTag, listed, all };
}

function attestationAbout(image: BuiltImage): BuiltImage {
  const built = buildImage({
    layers: [buildLayer([{ path: 'provenance.json', body: '{}' }])],
    platform: { os: 'unknown', architecture: 'unknown' },
  });
  const annotations = {
    'vnd.docker.reference.type': 'attestation-manifest',
    'vnd.docker.reference.digest': image.digest,
  };
  return { ...built, descriptor: { ...built.descriptor, annotations } };
}
