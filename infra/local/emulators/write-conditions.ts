import type { buildApp } from 'fauxqs'

type App = ReturnType<typeof buildApp>
type Refused = readonly [status: number, code: string, message: string]

/**
 * Makes the writes of objects keep to `If-Match` and `If-None-Match: *`, as S3 does. Writes of one object
 * wait for each other, so that of several with the same condition one is taken.
 *
 * Source: Amazon S3 User Guide, "How to prevent object overwrites with conditional writes".
 */
export function conditionalWrites(app: App): void {
  /** The end of the last write, by path. */
  const last = new Map<string, Promise<void>>()
  const ends = new WeakMap<object, () => void>()
  app.addHook('preHandler', async (request, reply) => {
    if (request.method !== 'PUT' && request.method !== 'DELETE') return undefined
    const path = request.url.split('?')[0]!
    if (!/^\/[^/]+\/./.test(path)) return undefined
    const before = last.get(path)
    const mine = new Promise<void>((resolve) => {
      ends.set(request, resolve)
    })
    last.set(path, mine)
    void mine.then(() => last.get(path) === mine && last.delete(path))
    await before
    const held = async () => {
      const { statusCode, headers } = await app.inject({ method: 'HEAD', url: path })
      return statusCode === 200 ? String(headers['etag']) : undefined
    }
    const { 'if-match': match, 'if-none-match': noneMatch } = request.headers
    if (match === undefined && noneMatch === undefined) return undefined
    const refused = refusal(match, noneMatch, await held())
    if (refused === undefined) return undefined
    const [status, code, message] = refused
    const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`
    return reply.status(status).header('content-type', 'application/xml').send(xml)
  })
  app.addHook('onResponse', (request, _reply, done) => {
    ends.get(request)?.()
    done()
  })
}

/** Why S3 does not take a write over what it holds under this ETag; `undefined` when it does. */
function refusal(
  match: string | undefined,
  noneMatch: string | undefined,
  held: string | undefined,
): Refused | undefined {
  const message = 'At least one of the pre-conditions you specified did not hold'
  const failed: Refused = [412, 'PreconditionFailed', message]
  if (noneMatch !== undefined) {
    if (noneMatch !== '*') {
      return [501, 'NotImplemented', 'If-None-Match of a write can only be *']
    }
    return held === undefined ? undefined : failed
  }
  if (held === undefined) return [404, 'NoSuchKey', 'The specified key does not exist.']
  return match === held || match === '*' ? undefined : failed
}
