import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An access entry of a cluster: an IAM role and the groups of who has assumed it. */
export interface AccessEntry {
  readonly role: string
  readonly groups: readonly string[]
}

type Identify = (
  address: string,
  headers: Readonly<Record<string, string>>,
) => { readonly status: number; readonly body: string }

const prefix = 'k8s-aws-v1.'

/**
 * Who a token of EKS is from, as the authenticator of a cluster says: STS is asked at the address that the token
 * is, with the cluster's name among what must be signed; an access entry has the groups.
 *
 * Source: Amazon EKS User Guide, "Access entries"; the protocol of aws-iam-authenticator.
 */
export function reviewToken(
  token: string,
  cluster: string,
  entries: readonly AccessEntry[],
  identify: Identify,
): { readonly username: string; readonly groups: readonly string[] } | undefined {
  if (!token.startsWith(prefix)) return undefined
  const address = Buffer.from(token.slice(prefix.length), 'base64url').toString()
  const url = URL.canParse(address) ? new URL(address) : undefined
  const isSts = /^sts\.[a-z0-9-]+\.amazonaws\.com$/.test(url?.host ?? '')
  const signed = url?.searchParams.get('X-Amz-SignedHeaders')?.split(';') ?? []
  const asks = url?.searchParams.get('Action') === 'GetCallerIdentity'
  if (!isSts || !asks || !signed.includes('x-k8s-aws-id')) return undefined
  const { status, body } = identify(address, { 'x-k8s-aws-id': cluster })
  if (status !== 200) return undefined
  const arn = JSON.parse(body).GetCallerIdentityResponse.GetCallerIdentityResult.Arn as string
  const [, account, role] = /^arn:aws:sts::(\d+):assumed-role\/([^/]+)\//.exec(arn) ?? []
  const entry = entries.find((each) => each.role === `arn:aws:iam::${account}:role/${role}`)
  return entry && { username: arn, groups: entry.groups }
}

/** The webhook that an API server asks about tokens it does not know; gives its address. */
export async function startEksAuthenticator(options: {
  readonly cluster: string
  readonly entries: readonly AccessEntry[]
  readonly identify: Identify
}): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const { cluster, entries, identify } = options
  const server = createServer(async (incoming, response) => {
    const pieces: Buffer[] = []
    for await (const piece of incoming) pieces.push(piece as Buffer)
    const { spec } = JSON.parse(Buffer.concat(pieces).toString()) as { spec: { token: string } }
    const user = reviewToken(spec.token, cluster, entries, identify)
    const status = user === undefined ? { authenticated: false } : { authenticated: true, user }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(
      JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', status }),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/authenticate`,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
