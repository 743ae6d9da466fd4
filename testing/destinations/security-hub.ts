import { json, type Received, type Reply, type Vendor } from './fault-server.ts'

interface Finding {
  readonly [name: string]: unknown
  readonly Id: string
  readonly UpdatedAt: string
}

/** BatchImportFindings of Security Hub CSPM with the limits of ASFF. */
export class SecurityHubStandIn implements Vendor {
  isEnabled = true
  readonly findings = new Map<string, Finding>()
  updates = 0

  serve({ method, path, body }: Received): Reply {
    if (method !== 'POST' || path !== '/findings/import') return json(404, { message: 'no' })
    if (!this.isEnabled) {
      const message = 'Account is not subscribed to AWS Security Hub'
      return json(401, { message }, { 'x-amzn-errortype': 'InvalidAccessException' })
    }
    const { Findings = [] } = JSON.parse(body.toString()) as { Findings?: Finding[] }
    if (Findings.length === 0 || Findings.length > 100 || body.length > 6_000_000) {
      return json(400, { message: 'size' }, { 'x-amzn-errortype': 'InvalidInputException' })
    }
    const failed = Findings.flatMap((finding) => {
      const problem = problemOf(finding)
      if (problem === undefined) this.#take(finding)
      return problem === undefined
        ? []
        : [{ Id: finding.Id, ErrorCode: 'InvalidInput', ErrorMessage: problem }]
    })
    return json(200, {
      FailedCount: failed.length,
      SuccessCount: Findings.length - failed.length,
      FailedFindings: failed,
    })
  }

  /** An older one than there is changes nothing. */
  #take(finding: Finding): void {
    const known = this.findings.get(finding.Id)
    this.updates += 1
    if (known === undefined || known.UpdatedAt < finding.UpdatedAt) {
      this.findings.set(finding.Id, finding)
    }
  }
}

const iso = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z$/
const customers = ['Note', 'UserDefinedFields', 'VerificationState', 'Workflow']

function problemOf(finding: Finding): string | undefined {
  const get = (path: string) =>
    path
      .split('.')
      .reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], finding)
  const text = (path: string, most: number) => {
    const value = get(path)
    return typeof value === 'string' && value !== '' && value.length <= most
  }
  if (JSON.stringify(finding).length > 240_000) return 'the finding is larger than 240 KB'
  if (finding['SchemaVersion'] !== '2018-10-08') return 'SchemaVersion'
  for (const [path, most] of [
    ['Id', 512],
    ['GeneratorId', 512],
    ['Title', 256],
    ['Description', 1024],
  ] as const) {
    if (!text(path, most)) return path
  }
  const account = finding['AwsAccountId']
  if (!/^\d{12}$/.test(String(account))) return 'AwsAccountId'
  if (!String(finding['ProductArn']).endsWith(`:product/${account}/default`)) return 'ProductArn'
  for (const path of ['CreatedAt', 'UpdatedAt', 'FirstObservedAt', 'LastObservedAt']) {
    if (!iso.test(String(get(path)))) return path
  }
  if (!/^(?:CRITICAL|HIGH|MEDIUM|LOW|INFORMATIONAL)$/.test(String(get('Severity.Label'))))
    return 'Severity'
  const types = finding['Types'] as string[]
  if (types.length > 50 || types.some((type) => !/^[^/]+(?:\/[^/]+){0,2}$/.test(type)))
    return 'Types'
  const fields = Object.entries(finding['ProductFields'] as Record<string, string>)
  if (
    fields.length > 50 ||
    fields.some(([name, value]) => name.length > 128 || value.length > 2048)
  ) {
    return 'ProductFields'
  }
  const resources = finding['Resources'] as {
    Type: string
    Id: string
    Details?: { Other?: object }
  }[]
  if (resources.length < 1 || resources.length > 32) return 'Resources'
  for (const { Id, Details } of resources) {
    if (Id.length > 512) return 'Resources.Id'
    const other = Object.entries(Details?.Other ?? {})
    if (other.length > 50 || other.some(([, value]) => String(value).length > 1024))
      return 'Details.Other'
  }
  if (get('Remediation') !== undefined && !text('Remediation.Recommendation.Text', 512))
    return 'Remediation'
  if (get('Process') !== undefined && !text('Process.Name', 64)) return 'Process.Name'
  return customers.find((name) => name in finding)
}
