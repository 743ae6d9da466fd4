import { createHmac } from 'node:crypto'
import type { OutsideMessage, OutsideResult } from '../machine/ports.ts'

export interface OutsideOptions {
  /** Invokes a function; gives the error that it ended with, if it did. */
  readonly invokeFunction: (
    name: string,
    qualifier: string,
    invocation: string,
    payload: string,
  ) => Promise<{ readonly status: number; readonly functionError?: string }>
  /** The text of a secret. */
  readonly secret: (name: string) => Promise<string>
  /** Seconds of the epoch. */
  readonly now: () => number
  readonly timeoutMs?: number
  readonly fetch?: typeof fetch
}

/** Functions and webhooks: neither is called twice for one step, so what has no answer stays unknown. */
export function outside({
  invokeFunction,
  secret,
  now,
  timeoutMs = 10_000,
  fetch: send = fetch,
}: OutsideOptions) {
  return async (
    call: { readonly via: 'lambda' | 'webhook' } & Readonly<Record<string, unknown>>,
    message: OutsideMessage,
  ): Promise<OutsideResult> => {
    const payload = JSON.stringify(message)
    const target = String(call['target'])
    if (call.via === 'lambda') {
      const { status, functionError } = await invokeFunction(
        target,
        String(call['qualifier']),
        String(call['invocation']),
        payload,
      )
      if (functionError !== undefined)
        return { status: 'failed', reason: `${target}: ${functionError}` }
      return status < 300
        ? { status: 'done' }
        : { status: 'failed', reason: `${target}: ${status}` }
    }
    const time = `${now()}`
    const name = call['secret']
    const signature =
      typeof name === 'string'
        ? { 'x-lanner-signature': `v1=${hmac(await secret(name), `${time}.${payload}`)}` }
        : {}
    try {
      const { status } = await send(target, {
        method: 'POST',
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
        body: payload,
        headers: {
          'content-type': 'application/json',
          ...{ 'x-lanner-time': time, 'idempotency-key': message.id, ...signature },
        },
      })
      return status < 300
        ? { status: 'done' }
        : { status: 'failed', reason: `it answers ${status}` }
    } catch (error) {
      const reason = (error as { cause?: Error }).cause?.message ?? (error as Error).message
      return { status: 'ambiguous', reason }
    }
  }
}

function hmac(key: string, text: string): string {
  return createHmac('sha256', key).update(text).digest('hex')
}
