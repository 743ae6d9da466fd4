import { Sha256 } from '@aws-crypto/sha256-js'
import { SignatureV4 } from '@smithy/signature-v4'

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export interface Presigning {
  readonly region: string
  readonly credentials: Credentials
  /** Headers that the signature covers, beside the host: what the caller vouches for. */
  readonly headers: Readonly<Record<string, string>>
  readonly date: Date
  /** Of another partition, such as `amazonaws.com.cn`: `amazonaws.com`. */
  readonly domain?: string
}

/**
 * A signed question to STS who asks it, made without a call: whoever has it can ask it for a quarter of an
 * hour, and learns the identity of the signer, who vouches for the headers.
 */
export async function presignIdentity(presigning: Presigning): Promise<string> {
  const { region, credentials, headers, date, domain = 'amazonaws.com' } = presigning
  const host = `sts.${region}.${domain}`
  const signer = new SignatureV4({ service: 'sts', region, credentials, sha256: Sha256 })
  const names = Object.keys(headers)
  const { query = {} } = await signer.presign(
    {
      ...{ method: 'GET', protocol: 'https:', hostname: host, path: '/' },
      headers: { host, ...headers },
      query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
    },
    { expiresIn: 60, signingDate: date, unhoistableHeaders: new Set(names) },
  )
  const text = Object.entries(query)
    .map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(String(value))}`)
    .join('&')
  return `https://${host}/?${text}`
}
