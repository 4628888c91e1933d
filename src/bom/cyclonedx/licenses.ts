import { Enums, Models, SPDX } from '@cyclonedx/cyclonedx-library';
import { licenseTerm, type LicenseTerm } from '../license-terms.ts';

/**
 * The licences a package declares, as CycloneDX 1.6 can say it: either a list of identifiers and names, or one expression and
 * nothing else. Several terms of which one is an expression are therefore joined with AND, where all of them are SPDX; where one
 * is not, each keeps its own text as a name.
 */
export function declaredLicenses(declared: readonly string[]): readonly Models.License[] {
  const terms = declared.map(licenseTerm).filter((term) => term.kind !== 'name' || term.name !== '');
  return forms(terms).map((license) => {
    license.acknowledgement = Enums.LicenseAcknowledgement.Declared;
    return license;
  });
}

function forms(terms: readonly LicenseTerm[]): readonly Models.License[] {
  const hasExpression = terms.some(({ kind }) => kind === 'expression');
  if (!hasExpression) return terms.map(single);
  if (terms.some(({ kind }) => kind === 'name')) return terms.map((term) => new Models.NamedLicense(textOf(term)));
  const expression = terms.length === 1 ? terms.map(textOf) : terms.map((term) => `(${textOf(term)})`);
  return [new Models.LicenseExpression(expression.join(' AND '))];
}

/** The specification's own list of identifiers is older than SPDX's: what it does not know is a name to it. */
function single(term: LicenseTerm): Models.License {
  const text = textOf(term);
  return term.kind === 'id' && SPDX.isSupportedSpdxId(text)
    ? new Models.SpdxLicense(text)
    : new Models.NamedLicense(text);
}

function textOf(term: LicenseTerm): string {
  return term.kind === 'id' ? term.id : term.kind === 'name' ? term.name : term.expression;
}
