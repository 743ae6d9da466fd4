import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerIdentity, type StsUser } from './sts.ts'

/** A role that may be assumed by whoever says its external id, as its trust policy would have it. */
export interface StsRole {
  readonly arn: string
  readonly externalId?: string
}

export interface TestSts {
  readonly endpoint: string
  /** Roles that were assumed, in order: `ROLE SESSION`. */
  readonly assumed: readonly string[]
  /** Who signed an address, as STS says: the answer that a caller gets. */
  identify(
    address: string,
    headers: Readonly<Record<string, string>>,
  ): { readonly status: number; readonly body: string }
  stop(): Promise<void>
}

/**
 * STS on this machine: presigned GetCallerIdentity, checked by {@link answerIdentity}, and AssumeRole, whose
 * credentials it knows from then on. Who assumes a role is not checked; its external id is.
 *
 * Source: AWS Security Token Service API Reference.
 */
export async function startSts(options: {
  readonly users: readonly StsUser[]
  readonly roles?: readonly StsRole[]
}): Promise<TestSts> {
  const users = [...options.users]
  const assumed: string[] = []
  const identify: TestSts['identify'] = (address, headers) =>
    answerIdentity(users, address, headers, new Date())

  const assume = (form: URLSearchParams): { status: number; body: string } => {
    const [arn, session, externalId] = ['RoleArn', 'RoleSessionName', 'ExternalId'].map(
      (name) => form.get(name) ?? undefined,
    )
    const role = options.roles?.find((each) => each.arn === arn)
    if (role === undefined || role.externalId !== externalId || session === undefined) {
      return { status: 403, body: errorOf('AccessDenied', `may not assume ${arn}`) }
    }
    const [, account, name] = /^arn:aws:iam::(\d+):role\/(?:.*\/)?(.+)$/.exec(role.arn) ?? []
    const user = {
      accessKeyId: `ASIA${randomBytes(8).toString('hex').toUpperCase()}`,
      secretAccessKey: randomBytes(30).toString('base64'),
      sessionToken: randomBytes(60).toString('base64'),
      arn: `arn:aws:sts::${account}:assumed-role/${name}/${session}`,
    }
    users.push(user)
    assumed.push(`${role.arn} ${session}`)
    const until = new Date(Date.now() + 3_600_000).toISOString()
    const credentials = `<AccessKeyId>${user.accessKeyId}</AccessKeyId><SecretAccessKey>${user.secretAccessKey}</SecretAccessKey><SessionToken>${user.sessionToken}</SessionToken><Expiration>${until}</Expiration>`
    const result = `<Credentials>${credentials}</Credentials><AssumedRoleUser><Arn>${user.arn}</Arn><AssumedRoleId>AROA:${session}</AssumedRoleId></AssumedRoleUser>`
    return { status: 200, body: answerOf('AssumeRole', result) }
  }

  const server = createServer(async (incoming, response) => {
    const text = await textOf(incoming)
    if (incoming.method === 'GET') {
      const address = `https://${incoming.headers.host}${incoming.url}`
      const { status, body } = identify(address, headersOf(incoming))
      response.writeHead(status, { 'content-type': 'application/json' }).end(body)
      return
    }
    const form = new URLSearchParams(text)
    const { status, body } =
      form.get('Action') === 'AssumeRole'
        ? assume(form)
        : { status: 400, body: errorOf('InvalidAction', `${form.get('Action')} is not served`) }
    response.writeHead(status, { 'content-type': 'text/xml' }).end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    assumed,
    identify,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const namespace = 'https://sts.amazonaws.com/doc/2011-06-15/'

function answerOf(action: string, result: string): string {
  const meta = '<ResponseMetadata><RequestId>test</RequestId></ResponseMetadata>'
  return `<${action}Response xmlns="${namespace}"><${action}Result>${result}</${action}Result>${meta}</${action}Response>`
}

function errorOf(code: string, message: string): string {
  return `<ErrorResponse xmlns="${namespace}"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of incoming) pieces.push(piece as Buffer)
  return Buffer.concat(pieces).toString('utf8')
}

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}
