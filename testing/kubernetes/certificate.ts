import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

/** A key and a certificate for it, in PEM. */
export interface Certificate {
  readonly name: string
  readonly key: KeyObject
  readonly keyPem: string
  readonly certificatePem: string
}

const day = 86_400_000

/** A certificate authority that nobody else trusts. */
export function makeAuthority(name: string): Certificate {
  return issue(name, undefined, [
    extension('2.5.29.19', true, sequence(boolean(true))),
    extension('2.5.29.15', true, bits(0x06)), // signs certificates and revocation lists
  ])
}

/** A certificate for a server that is reached under `localhost` and 127.0.0.1. */
export function makeServerCertificate(authority: Certificate): Certificate {
  const names = sequence(
    encode(0x82, Buffer.from('localhost')),
    encode(0x87, Buffer.from([127, 0, 0, 1])),
  )
  return issue('server', authority, [
    extension('2.5.29.17', false, names),
    extension('2.5.29.37', false, sequence(objectId('1.3.6.1.5.5.7.3.1'))),
  ])
}

/** A certificate by which a client proves who it is. */
export function makeClientCertificate(authority: Certificate, name: string): Certificate {
  return issue(name, authority, [
    extension('2.5.29.37', false, sequence(objectId('1.3.6.1.5.5.7.3.2'))),
  ])
}

function issue(
  name: string,
  authority: Certificate | undefined,
  extensions: readonly Buffer[],
): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const publicInfo = publicKey.export({ type: 'spki', format: 'der' })
  const algorithm = sequence(objectId('1.2.840.10045.4.3.2')) // ECDSA with SHA-256
  const now = Date.now()
  const content = sequence(
    encode(0xa0, encode(0x02, Buffer.from([2]))), // version 3
    encode(0x02, Buffer.from([1]), randomBytes(16)), // positive, as it begins with 1
    algorithm,
    distinguishedName(authority?.name ?? name),
    sequence(time(now - day), time(now + day)),
    distinguishedName(name),
    publicInfo,
    encode(0xa3, sequence(...extensions, keyId(publicInfo))),
  )
  const signature = sign('sha256', content, authority?.key ?? privateKey)
  const certificate = sequence(content, algorithm, encode(0x03, Buffer.from([0]), signature))
  const lines = certificate.toString('base64').match(/.{1,64}/g)!
  return {
    name,
    key: privateKey,
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificatePem: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
  }
}

/** DER: a tag, the length of the content, the content. */
function encode(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content)
  const { length } = body
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), body])
}

function sequence(...items: readonly Buffer[]): Buffer {
  return encode(0x30, ...items)
}

function boolean(value: boolean): Buffer {
  return encode(0x01, Buffer.from([value ? 0xff : 0]))
}

function bits(value: number): Buffer {
  return encode(0x03, Buffer.from([1, value]))
}

function objectId(dotted: string): Buffer {
  const [first, second, ...rest] = dotted.split('.').map(Number)
  const bytes = [first! * 40 + second!]
  for (const part of rest) {
    const digits = [part & 0x7f]
    for (let left = part >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80)
    bytes.push(...digits)
  }
  return encode(0x06, Buffer.from(bytes))
}

function distinguishedName(name: string): Buffer {
  const commonName = sequence(objectId('2.5.4.3'), encode(0x0c, Buffer.from(name)))
  return sequence(encode(0x31, commonName))
}

function time(milliseconds: number): Buffer {
  const digits = new Date(milliseconds).toISOString().replace(/[-:T]|\.\d+/g, '')
  return encode(0x18, Buffer.from(digits))
}

function extension(id: string, critical: boolean, content: Buffer): Buffer {
  return sequence(objectId(id), ...(critical ? [boolean(true)] : []), encode(0x04, content))
}

function keyId(publicInfo: Buffer): Buffer {
  const hash = createHash('sha1').update(publicInfo).digest()
  return extension('2.5.29.14', false, encode(0x04, hash))
}
