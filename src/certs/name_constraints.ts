/**
 * For which names an authority may sign, as its certificate says: an extension that clients obey (RFC 5280 §4.2.1.10).
 *
 * @module
 */

/** OID id-ce-nameConstraints, and as it stands in a certificate. */
export const NAME_CONSTRAINTS_OID = "2.5.29.30";
const OID_DER = [0x06, 0x03, 0x55, 0x1d, 0x1e];

const TAG = { sequence: 0x30, permitted: 0xa0, dns: 0x82, ip: 0x87 } as const;

const LOOPBACK_V4 = [127, 0, 0, 0, 255, 0, 0, 0];
const LOOPBACK_V6 = [
  ...Array<number>(15).fill(0),
  1,
  ...Array<number>(16).fill(255),
];

/** Names that always mean this machine. */
const LOCALHOST = "localhost";

/**
 * The extension's value, DER: permits names at or below the domain and `localhost`, and addresses of loopback; of these
 * kinds nothing else.
 *
 * @param tld Without a dot at its ends.
 */
export function nameConstraints(tld: string): Uint8Array {
  const subtrees = [
    ...[...new Set([tld, LOCALHOST])].map((name) => dnsName(name)),
    tlv(TAG.ip, LOOPBACK_V4),
    tlv(TAG.ip, LOOPBACK_V6),
  ].flatMap((base) => tlv(TAG.sequence, base));
  return Uint8Array.from(tlv(TAG.sequence, tlv(TAG.permitted, subtrees)));
}

/** Whether an authority may sign names below a domain. One without constraints may sign everything. */
export function maySign(certificate: Uint8Array, tld: string): boolean {
  return !includes(certificate, OID_DER) ||
    includes(certificate, tlv(TAG.sequence, dnsName(tld)));
}

function dnsName(name: string): number[] {
  return tlv(TAG.dns, [...new TextEncoder().encode(name)]);
}

/** One value in DER. */
function tlv(tag: number, content: readonly number[]): number[] {
  const { length } = content;
  if (length < 0x80) return [tag, length, ...content];
  if (length < 0x100) return [tag, 0x81, length, ...content];
  return [tag, 0x82, length >> 8, length & 0xff, ...content];
}

function includes(bytes: Uint8Array, part: readonly number[]): boolean {
  return bytes.some((_, start) =>
    part.every((byte, index) => bytes[start + index] === byte)
  );
}
