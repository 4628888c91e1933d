import { constants, publicDecrypt, type KeyObject } from 'node:crypto';
import { ASN1Obj } from '@sigstore/core';

/**
 * Whether `signature` is a signature by `key` over data with this SHA-256 digest. A log sees only the digest, and
 * Node has no call that verifies against one. Ed25519 signs the data itself, so there the answer is always no.
 *
 * For the sandbox's logs only: it is not written to be fast or constant in time.
 */
export function verifiesDigest(key: KeyObject, digest: Uint8Array, signature: Uint8Array): boolean {
  try {
    if (key.asymmetricKeyType === 'rsa') return verifiesRsa(key, digest, signature);
    return key.asymmetricKeyType === 'ec' && verifiesEcdsa(key, digest, signature);
  } catch {
    return false;
  }
}

/** DigestInfo of SHA-256 before the digest itself: RFC 8017, section 9.2, note 1. */
const SHA256_PREFIX = Buffer.from('3031300d060960864801650304020105000420', 'hex');

function verifiesRsa(key: KeyObject, digest: Uint8Array, signature: Uint8Array): boolean {
  const found = publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature);
  return found.equals(Buffer.concat([SHA256_PREFIX, digest]));
}

interface Curve {
  readonly p: bigint;
  readonly n: bigint;
  readonly g: Point;
}

/** Undefined is the point at infinity. */
type Point = { readonly x: bigint; readonly y: bigint } | undefined;

/** FIPS 186-5 with SP 800-186, section 3.2.1: both have a = −3. */
const CURVES: Readonly<Record<string, Curve>> = {
  'P-256': {
    p: 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
    n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
    g: {
      x: 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
      y: 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
    },
  },
  'P-384': {
    p: 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffffn,
    n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
    g: {
      x: 0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7n,
      y: 0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5fn,
    },
  },
};

/** FIPS 186-5, section 6.4.2. */
function verifiesEcdsa(key: KeyObject, digest: Uint8Array, signature: Uint8Array): boolean {
  const jwk = key.export({ format: 'jwk' });
  const curve = CURVES[jwk.crv ?? ''];
  const [r, s] = ASN1Obj.parseBuffer(Buffer.from(signature)).subs.map((part) => part.toInteger());
  if (curve === undefined || r === undefined || s === undefined) return false;
  const { n } = curve;
  if (r <= 0n || s <= 0n || r >= n || s >= n) return false;
  const w = inverse(s, n);
  const q = { x: coordinate(jwk.x), y: coordinate(jwk.y) };
  const u1 = multiply(curve, curve.g, (BigInt(`0x${Buffer.from(digest).toString('hex')}`) * w) % n);
  const sum = add(curve, u1, multiply(curve, q, (r * w) % n));
  return sum !== undefined && sum.x % n === r;
}

function coordinate(encoded = ''): bigint {
  return BigInt(`0x${Buffer.from(encoded, 'base64url').toString('hex')}`);
}

function multiply(curve: Curve, point: Point, factor: bigint): Point {
  let sum: Point;
  for (const bit of factor.toString(2)) {
    sum = add(curve, sum, sum);
    if (bit === '1') sum = add(curve, sum, point);
  }
  return sum;
}

function add({ p }: Curve, a: Point, b: Point): Point {
  if (a === undefined || b === undefined) return a ?? b;
  if (a.x === b.x && a.y !== b.y) return undefined;
  const slope =
    a.x === b.x ? (3n * a.x * a.x - 3n) * inverse(2n * a.y, p) : (b.y - a.y) * inverse(modulo(b.x - a.x, p), p);
  const x = modulo(slope * slope - a.x - b.x, p);
  return { x, y: modulo(slope * (a.x - x) - a.y, p) };
}

/** By the extended Euclidean algorithm. */
function inverse(value: bigint, modulus: bigint): bigint {
  let [r0, r1, t0, t1] = [modulus, modulo(value, modulus), 0n, 1n];
  while (r1 !== 0n) {
    const quotient = r0 / r1;
    [r0, r1, t0, t1] = [r1, r0 - quotient * r1, t1, t0 - quotient * t1];
  }
  return modulo(t0, modulus);
}

function modulo(value: bigint, modulus: bigint): bigint {
  const rest = value % modulus;
  return rest < 0n ? rest + modulus : rest;
}
