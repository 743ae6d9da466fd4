import { describe, expect, it } from 'vitest'
import { answerIdentity, type StsUser } from '#testing/aws/sts.ts'
import { approvalHeader, signApproval, whoSigned } from './approval-token.ts'
import { eksToken, TokenSource } from './eks-token.ts'

/** The key pair of AWS's published test suite of Signature Version 4. */
const secretAccessKey = ['wJalrXUtnFEMI', 'K7MDENG+bPxRfiCYEXAMPLEKEY'].join('/')
const ann: StsUser = {
  ...{ accessKeyId: 'AKIDEXAMPLE', secretAccessKey, sessionToken: 'SESSIONTOKENEXAMPLE==' },
  arn: 'arn:aws:sts::123456789012:assumed-role/Responders/ann',
}
const date = new Date('2026-11-23T12:00:00Z')
const region = 'eu-west-1'
const cluster = 'prod-cluster'
const decode = (token: string) =>
  Buffer.from(token.slice('k8s-aws-v1.'.length), 'base64url').toString()

describe('the token of EKS', () => {
  it('is the one that an independent signer makes', async () => {
    const token = await eksToken({ cluster, region, credentials: ann, date })
    const url = new URL(decode(token))
    // agreed upon by two other implementations
    expect(url.searchParams.get('X-Amz-Signature')).toBe(
      '1efd7921a1475f5a013d307f6d8a496c59e5047883efa31b9de9afc46ba271c4',
    )
    expect(url.searchParams.get('X-Amz-SignedHeaders')).toBe('host;x-k8s-aws-id')
    expect(token).toMatch(/^k8s-aws-v1\.[\w-]+$/)
    expect(token.length).toBeLessThan(4096)
  })

  it('is good for its cluster alone, in its time, for its signer', async () => {
    const ask = async (user: StsUser, of: string, at = date) => {
      const token = await eksToken({ cluster, region, credentials: user, date })
      return answerIdentity([ann], decode(token), { 'x-k8s-aws-id': of }, at).status
    }
    expect(await ask(ann, cluster)).toBe(200)
    expect(await ask(ann, 'other-cluster')).toBe(403)
    expect(await ask({ ...ann, secretAccessKey: 'other' }, cluster)).toBe(403)
    expect(await ask(ann, cluster, new Date(date.getTime() + 16 * 60_000))).toBe(403)
  })

  it('is made anew in time, after a refusal, and when credentials end', async () => {
    let now = 0
    let made = 0
    let until: Date | undefined
    const source = new TokenSource(
      async () => ({ token: `${++made}`, ...(until && { until }) }),
      () => now,
    )
    expect([await source.token(), await source.token()]).toEqual(['1', '1'])
    now = 13 * 60_000
    expect(await source.token()).toBe('2')
    source.forget()
    until = new Date(now + 120_000)
    expect(await source.token()).toBe('3')
    now += 59_000
    expect(await source.token()).toBe('3')
    now += 2000
    expect(await source.token()).toBe('4')
    let fails = true
    const failing = new TokenSource(
      async () => {
        if (fails) throw new Error('no credentials')
        return { token: 'x' }
      },
      () => now,
    )
    await expect(failing.token()).rejects.toThrow('no credentials')
    fails = false
    expect(await failing.token()).toBe('x')
  })
})

describe('an approval', () => {
  const approval = { response: 'r1', planHash: 'h1' }
  const sign = (more: object = {}) =>
    signApproval(approval, { region, credentials: ann, date, ...more })
  const who = async (signed: string, of = approval, at = date) => {
    const ask = async (url: string, headers: Readonly<Record<string, string>>) =>
      answerIdentity([ann], url, headers, at)
    const asked = await whoSigned(signed, of, ask)
    return 'arn' in asked ? asked.arn : asked.problem
  }

  it('tells who signed it', async () => expect(await who(await sign())).toBe(ann.arn))

  it('is of one response and one plan, in its time, and cannot be changed', async () => {
    const signed = await sign()
    expect(await who(signed, { ...approval, planHash: 'h2' })).toContain(
      'does not know the signature',
    )
    expect(await who(signed, { ...approval, response: 'r2' })).toContain(
      'does not know the signature',
    )
    expect(await who(signed, approval, new Date(date.getTime() + 16 * 60_000))).toContain(
      'does not know',
    )
    expect(await who(await sign({ credentials: { ...ann, secretAccessKey: 'x' } }))).toContain(
      'does not know',
    )
    expect(await who(signed.replace('eu-west-1.amazonaws', 'eu-west-2.amazonaws'))).toContain(
      'does not know',
    )
  })

  it.each([
    ['another host', (url: string) => url.replace('sts.eu-west-1.amazonaws.com', 'evil.example')],
    [
      'a host that begins like STS',
      (url: string) => url.replace('amazonaws.com/', 'amazonaws.com.evil.example/'),
    ],
    ['a user before the host', (url: string) => url.replace('https://', 'https://sts@')],
    ['no TLS', (url: string) => url.replace('https://', 'http://')],
    ['another path', (url: string) => url.replace('.com/?', '.com/x?')],
    ['another question', (url: string) => url.replace('GetCallerIdentity', 'AssumeRole')],
    ['a question more', (url: string) => `${url}&RoleArn=x`],
    ['a name twice', (url: string) => `${url}&Action=GetCallerIdentity`],
    ['a signature over less', (url: string) => url.replace(`%3B${approvalHeader}`, '')],
    ['no address', () => 'x'],
  ])('that leads to %s is not even asked for', async (_, change) => {
    let asked = 0
    const problem = await whoSigned(change(await sign()), approval, async () => {
      asked += 1
      return { status: 200, body: '' }
    })
    expect(problem).toHaveProperty('problem')
    expect(asked).toBe(0)
  })
})
