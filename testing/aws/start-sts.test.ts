import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { signApproval, whoSigned } from '../../lambdas/respond/access/approval-token.ts'
import { askSts } from '../../lambdas/respond/access/ask-sts.ts'
import { eksToken } from '../../lambdas/respond/access/eks-token.ts'
import { reviewToken } from './eks-authenticator.ts'
import { startSts, type TestSts } from './start-sts.ts'

const ann = {
  ...{ accessKeyId: 'AKIAANN', secretAccessKey: 'a secret of ann' },
  arn: 'arn:aws:sts::123456789012:assumed-role/Responders/ann',
}
const role = 'arn:aws:iam::123456789012:role/lanner-respond-read-prod'
const region = 'eu-west-1'
let sts: TestSts
let client: STSClient

beforeAll(async () => {
  sts = await startSts({ users: [ann], roles: [{ arn: role, externalId: 'lanner:prod' }] })
  client = new STSClient({ region, endpoint: sts.endpoint, credentials: ann })
})
afterAll(async () => {
  client.destroy()
  await sts.stop()
})

it('says over the wire who signed an approval, whatever address it listens on', async () => {
  const approval = { response: 'r1', planHash: 'h1' }
  const signed = await signApproval(approval, { region, credentials: ann, date: new Date() })
  const ask = (address: string, headers: Readonly<Record<string, string>>) =>
    askSts(address, headers, sts.endpoint)
  expect(await whoSigned(signed, approval, ask)).toEqual({ arn: ann.arn })
  expect(await whoSigned(signed, { ...approval, planHash: 'h2' }, ask)).toEqual({
    problem: 'STS does not know the signature (403)',
  })
})

it('is not believed when it leads elsewhere, and not waited for when it is not there', async () => {
  const { createServer } = await import('node:http')
  const elsewhere = createServer((_, response) => {
    response.writeHead(302, { location: `${sts.endpoint}/?Action=GetCallerIdentity` }).end()
  })
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve))
  const { port } = elsewhere.address() as { port: number }
  const address = `https://sts.${region}.amazonaws.com/?Action=GetCallerIdentity`
  const asked = () => askSts(address, {}, `http://127.0.0.1:${port}`)
  expect(await asked()).toMatchObject({ status: 302 })
  await new Promise((resolve) => elsewhere.close(resolve))
  await expect(asked()).rejects.toThrow('ECONNREFUSED')
})

it('lets a role be assumed by who says its external id, and a cluster knows it then', async () => {
  const assume = (ExternalId?: string) =>
    client.send(
      new AssumeRoleCommand({
        RoleArn: role,
        RoleSessionName: 's1',
        ...(ExternalId && { ExternalId }),
      }),
    )
  await expect(assume()).rejects.toThrow('may not assume')
  await expect(assume('lanner:other')).rejects.toThrow('may not assume')
  const { Credentials: made } = await assume('lanner:prod')
  const credentials = {
    ...{ accessKeyId: made!.AccessKeyId!, secretAccessKey: made!.SecretAccessKey! },
    sessionToken: made!.SessionToken!,
  }
  const review = async (
    of: object,
    cluster = 'prod',
    entries = [{ role, groups: ['readers'] }],
  ) => {
    const token = await eksToken({ cluster: 'prod', region, credentials, date: new Date(), ...of })
    return reviewToken(token, cluster, entries, sts.identify)
  }
  const username = 'arn:aws:sts::123456789012:assumed-role/lanner-respond-read-prod/s1'
  expect(await review({})).toEqual({ username, groups: ['readers'] })
  expect(await review({}, 'staging')).toBeUndefined()
  expect(await review({}, 'prod', [])).toBeUndefined()
  expect(await review({ credentials: { ...credentials, secretAccessKey: 'x' } })).toBeUndefined()
  expect(await review({ date: new Date(Date.now() - 16 * 60_000) })).toBeUndefined()
  expect(sts.assumed).toEqual([`${role} s1`])
})
