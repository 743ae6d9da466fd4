import type { buildApp } from 'fauxqs'

type App = ReturnType<typeof buildApp>
type Refused = readonly [status: number, code: string, message: string]

interface Lock {
  readonly mode: string
  readonly days: number
}

const checksum = /^(?:content-md5|x-amz-checksum-|x-amz-sdk-checksum-algorithm|x-amz-trailer)/

/**
 * Makes buckets that were made for Object Lock keep to it: objects get the retention that is set for their
 * bucket, writes need a checksum, and what is held cannot be deleted before its time, except by whoever may
 * bypass governance. There are no versions here: where S3 would put another version or a delete marker on
 * top of what is held, it says so instead.
 *
 * Source: Amazon S3 User Guide, "Locking objects with Object Lock"; API Reference, PutObject and
 * PutObjectLockConfiguration.
 */
export function objectLock(app: App, now: () => number = Date.now): void {
  /** Buckets that know locks, with their default retention once it is set. */
  const locks = new Map<string, Lock | undefined>()
  /** Until when an object is held, milliseconds of the epoch, by path. */
  const held = new Map<string, Lock & { readonly until: number }>()
  app.addHook('preHandler', async (request, reply) => {
    const { method, headers } = request
    const [path = '', query = ''] = request.url.split('?')
    const [, bucket = '', key = ''] = /^\/([^/]+)(?:\/(.*))?$/s.exec(path) ?? []
    const refuse = ([status, code, message]: Refused) => {
      const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`
      return reply.status(status).header('content-type', 'application/xml').send(xml)
    }
    const asksForLock = /(?:^|&)object-lock(?:=|&|$)/.test(query)
    if (key === '' && asksForLock) {
      if (!locks.has(bucket)) return refuse(noLock)
      if (method === 'GET')
        return reply.header('content-type', 'application/xml').send(shown(locks.get(bucket)))
      const [, mode = 'GOVERNANCE'] = /<Mode>(\w+)<\/Mode>/.exec(textOf(request.body)) ?? []
      const [, days = ''] = /<Days>(\d+)<\/Days>/.exec(textOf(request.body)) ?? []
      locks.set(bucket, days === '' ? undefined : { mode, days: Number(days) })
      return reply.status(200).send('')
    }
    if (method === 'PUT' && key === '' && query === '') {
      if (headers['x-amz-bucket-object-lock-enabled'] === 'true') locks.set(bucket, undefined)
      return undefined
    }
    const lock = locks.get(bucket)
    if (lock === undefined || key === '' || (method !== 'PUT' && method !== 'DELETE'))
      return undefined
    const isHeld = (held.get(path)?.until ?? 0) > now()
    if (method === 'DELETE') {
      const bypasses = headers['x-amz-bypass-governance-retention'] === 'true'
      if (!isHeld || (bypasses && lock.mode === 'GOVERNANCE')) {
        held.delete(path)
        return undefined
      }
      return refuse(query.includes('versionId=') ? protectedByLock : noVersions)
    }
    if (!Object.keys(headers).some((name) => checksum.test(name))) return refuse(noChecksum)
    // a conditional write is refused by its condition
    if (isHeld && headers['if-none-match'] === undefined) return refuse(noVersions)
    return undefined
  })
  app.addHook('onSend', async (request, reply, payload) => {
    const path = request.url.split('?')[0]!
    const [, bucket = ''] = /^\/([^/]+)\/./.exec(path) ?? []
    const lock = locks.get(bucket)
    if (lock !== undefined && request.method === 'PUT' && reply.statusCode === 200) {
      held.set(path, { ...lock, until: now() + lock.days * 86_400_000 })
    }
    const holding = held.get(path)
    if (holding !== undefined && (request.method === 'GET' || request.method === 'HEAD')) {
      void reply.header('x-amz-object-lock-mode', holding.mode)
      void reply.header(
        'x-amz-object-lock-retain-until-date',
        new Date(holding.until).toISOString(),
      )
    }
    return payload
  })
}

const noLock: Refused = [
  ...([409, 'InvalidBucketState'] as const),
  'Object Lock configuration cannot be enabled on existing buckets',
]
const protectedByLock: Refused = [
  ...([403, 'AccessDenied'] as const),
  'Access Denied because object protected by object lock.',
]
const noChecksum: Refused = [
  ...([400, 'InvalidRequest'] as const),
  'Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters',
]
const noVersions: Refused = [
  ...([501, 'NotImplemented'] as const),
  'there are no versions here: S3 would keep what is locked below a new version or a delete marker',
]

function shown(lock: Lock | undefined): string {
  const rule =
    lock === undefined
      ? ''
      : `<Rule><DefaultRetention><Mode>${lock.mode}</Mode><Days>${lock.days}</Days></DefaultRetention></Rule>`
  return `<?xml version="1.0" encoding="UTF-8"?>\n<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>${rule}</ObjectLockConfiguration>`
}

function textOf(body: unknown): string {
  if (typeof body === 'string') return body
  return body instanceof Uint8Array ? Buffer.from(body).toString() : JSON.stringify(body ?? '')
}
