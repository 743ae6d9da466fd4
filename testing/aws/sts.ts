import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

export interface StsUser {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly arn: string
}

/**
 * What STS answers to a presigned GetCallerIdentity: checks the signature by itself, from AWS's
 * description of Signature Version 4 and nothing else.
 */
export function answerIdentity(
  users: readonly StsUser[],
  address: string,
  headers: Readonly<Record<string, string>>,
  now: Date,
): { readonly status: number; readonly body: string } {
  const refuse = (code: string) => ({
    status: 403,
    body: JSON.stringify({ Error: { Code: code } }),
  })
  const url = new URL(address)
  const query = new Map(url.searchParams)
  const [key, day, region, service, end] = (query.get('X-Amz-Credential') ?? '').split('/')
  const user = users.find(({ accessKeyId }) => accessKeyId === key)
  if (user === undefined || service !== 'sts' || end !== 'aws4_request') {
    return refuse('InvalidClientTokenId')
  }
  if ((query.get('X-Amz-Security-Token') ?? undefined) !== user.sessionToken) {
    return refuse('InvalidClientTokenId')
  }
  const date = query.get('X-Amz-Date') ?? ''
  const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? []
  const age = now.getTime() - Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`)
  if (!(age > -300_000 && age < 15 * 60_000)) return refuse('SignatureDoesNotMatch')
  const lower = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  lower.set('host', url.host)
  const signed = (query.get('X-Amz-SignedHeaders') ?? '').split(';')
  const encode = (text: string) =>
    encodeURIComponent(text).replace(
      /[!'()*]/g,
      (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
    )
  const canonical = [
    'GET',
    '/',
    [...query]
      .filter(([name]) => name !== 'X-Amz-Signature')
      .map(([name, value]) => `${encode(name)}=${encode(value)}`)
      .sort()
      .join('&'),
    ...signed.map((name) => `${name}:${(lower.get(name) ?? '').trim().replace(/ +/g, ' ')}`),
    '',
    signed.join(';'),
    createHash('sha256').update('').digest('hex'),
  ].join('\n')
  const scope = `${day}/${region}/${service}/${end}`
  const text = [
    'AWS4-HMAC-SHA256',
    date,
    scope,
    createHash('sha256').update(canonical).digest('hex'),
  ].join('\n')
  const hmac = (by: string | Buffer, what: string) => createHmac('sha256', by).update(what).digest()
  const signing = [day!, region!, 'sts', 'aws4_request'].reduce<string | Buffer>(
    hmac,
    `AWS4${user.secretAccessKey}`,
  )
  const expected = hmac(signing, text)
  const given = Buffer.from(query.get('X-Amz-Signature') ?? '', 'hex')
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    return refuse('SignatureDoesNotMatch')
  }
  const answer = { GetCallerIdentityResponse: { GetCallerIdentityResult: { Arn: user.arn } } }
  return { status: 200, body: JSON.stringify(answer) }
}
