import { type Presigning, presignIdentity } from './presign.ts'

/** What an approval is signed over: nothing else can be made of it. */
export const approvalHeader = 'x-lanner-approval'

export interface Approval {
  readonly response: string
  readonly planHash: string
}

function textOf({ response, planHash }: Approval): string {
  return `approve ${response} ${planHash}`
}

/** Signs an approval as the principal whose credentials these are. */
export function signApproval(
  approval: Approval,
  presigning: Omit<Presigning, 'headers'>,
): Promise<string> {
  return presignIdentity({ ...presigning, headers: { [approvalHeader]: textOf(approval) } })
}

export type Asked =
  | { readonly arn: string }
  /** Why nobody is believed. */
  | { readonly problem: string }

const names = new Set([
  ...['Action', 'Version', 'X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Date', 'X-Amz-Expires'],
  ...['X-Amz-Security-Token', 'X-Amz-Signature', 'X-Amz-SignedHeaders'],
])

/**
 * Who signed an approval, as STS says. The address may lead nowhere but to STS, and the signature must
 * cover the approval: its host, its response, its plan. STS takes it for a quarter of an hour.
 */
export async function whoSigned(
  signed: string,
  approval: Approval,
  ask: (
    url: string,
    headers: Readonly<Record<string, string>>,
  ) => Promise<{
    readonly status: number
    readonly body: string
  }>,
): Promise<Asked> {
  let url: URL
  try {
    url = new URL(signed)
  } catch {
    return { problem: 'the approval is no signed address' }
  }
  const keys = [...url.searchParams.keys()]
  const isSts = /^sts\.[a-z0-9-]{1,40}\.amazonaws\.com(?:\.cn)?$/.test(url.host)
  const isPlain =
    url.protocol === 'https:' && url.pathname === '/' && url.username === '' && url.hash === ''
  if (!isSts || !isPlain || signed.length > 8192) return { problem: 'the approval is not for STS' }
  if (keys.some((key) => !names.has(key)) || new Set(keys).size !== keys.length) {
    return { problem: 'the approval asks STS for something else' }
  }
  if (url.searchParams.get('Action') !== 'GetCallerIdentity') {
    return { problem: 'the approval asks STS for something else' }
  }
  const covered = url.searchParams.get('X-Amz-SignedHeaders')?.split(';') ?? []
  if (!covered.includes('host') || !covered.includes(approvalHeader)) {
    return { problem: 'the signature does not cover the approval' }
  }
  const headers = { [approvalHeader]: textOf(approval), accept: 'application/json' }
  const { status, body } = await ask(url.toString(), headers)
  if (status !== 200) return { problem: `STS does not know the signature (${status})` }
  try {
    const answer = JSON.parse(body).GetCallerIdentityResponse.GetCallerIdentityResult
    const arn: unknown = answer.Arn
    if (typeof arn === 'string' && arn.startsWith('arn:')) return { arn }
  } catch {
    // said below
  }
  return { problem: 'STS does not say who signed' }
}
