import { constants, publicDecrypt, type KeyObject } from 'node:crypto';
import { ASN1Obj } from '@sigstore/core';

/**
 * Whether `signature` is a signature by `key` over data with this digest, which is a SHA-2 one that is no longer
 * than the curve's order; for RSA SHA-256. A log sees only the digest, and Node has no call that verifies against one. Ed25519 signs the data itself, so there the answer is always no.
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

/** In Jacobian coordinates; undefined is the point at infinity. */
type Point = { readonly x: bigint; readonly y: bigint; readonly z: bigint } | undefined;

/** FIPS 186-5 with SP 800-186, section 3.2.1: both have a = −3. */
const CURVES: Readonly<Record<string, Curve>> = {
  'P-256': {
    p: 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
    n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
    g: {
      x: 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
      y: 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
      z: 1n,
    },
  },
  'P-384': {
    p: 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffffn,
    n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
    g: {
      x: 0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7n,
      y: 0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5fn,
      z: 1n,
    },
  },
  'P-521': {
    p: 2n ** 521n - 1n,
    n: 0x1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
    g: {
      x: 0xc6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66n,
      y: 0x11839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650n,
      z: 1n,
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
  const q = { x: coordinate(jwk.x), y: coordinate(jwk.y), z: 1n };
  const u1 = (BigInt(`0x${Buffer.from(digest).toString('hex')}`) * w) % n;
  const x = sumOfProducts(curve, [u1, curve.g], [(r * w) % n, q]);
  return x !== undefined && x % n === r;
}

function coordinate(encoded = ''): bigint {
  return BigInt(`0x${Buffer.from(encoded, 'base64url').toString('hex')}`);
}

/** a·g + b·q, both at once (Shamir's trick), as an affine x; undefined at infinity. */
function sumOfProducts(curve: Curve, [a, g]: Product, [b, q]: Product): bigint | undefined {
  const { p } = curve;
  const both = add(p, g, q);
  let sum: Point;
  for (let bit = BigInt(Math.max(a.toString(2).length, b.toString(2).length) - 1); bit >= 0n; bit -= 1n) {
    sum = double(p, sum);
    const [inA, inB] = [(a >> bit) & 1n, (b >> bit) & 1n];
    if (inA === 1n || inB === 1n) sum = add(p, sum, inA === inB ? both : inA === 1n ? g : q);
  }
  return sum === undefined ? undefined : (sum.x * inverse(sum.z * sum.z, p)) % p;
}

type Product = readonly [factor: bigint, point: Point];

/** Explicit-Formulas Database, shortw/jacobian-3, dbl-2001-b. */
function double(p: bigint, point: Point): Point {
  if (point === undefined) return undefined;
  const { x, y, z } = point;
  const [delta, gamma] = [(z * z) % p, (y * y) % p];
  const beta = (x * gamma) % p;
  const alpha = (3n * (x - delta) * (x + delta)) % p;
  const doubled = modulo(alpha * alpha - 8n * beta, p);
  return {
    x: doubled,
    y: modulo(alpha * (4n * beta - doubled) - 8n * gamma * gamma, p),
    z: modulo((y + z) ** 2n - gamma - delta, p),
  };
}

/** Explicit-Formulas Database, shortw/jacobian-3, add-1998-cmo-2. */
function add(p: bigint, a: Point, b: Point): Point {
  if (a === undefined || b === undefined) return a ?? b;
  const [aa, bb] = [(a.z * a.z) % p, (b.z * b.z) % p];
  const [u, s] = [(a.x * bb) % p, (((a.y * b.z) % p) * bb) % p];
  const h = modulo(b.x * aa - u, p);
  const r = modulo(((b.y * a.z) % p) * aa - s, p);
  if (h === 0n) return r === 0n ? double(p, a) : undefined;
  const hh = (h * h) % p;
  const hhh = (h * hh) % p;
  const v = (u * hh) % p;
  const x = modulo(r * r - hhh - 2n * v, p);
  return { x, y: modulo(r * (v - x) - s * hhh, p), z: (((a.z * b.z) % p) * h) % p };
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
