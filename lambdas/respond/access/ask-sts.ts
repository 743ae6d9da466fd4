import { request as plain } from 'node:http'
import { request as secure } from 'node:https'

/** Most characters of an answer that are looked at. */
const mostText = 16_384

/**
 * Asks STS at an address that was signed by somebody else. With `endpoint`, as the SDK's
 * `AWS_ENDPOINT_URL_STS`, that service is asked in place of the address's host, and told which host was signed.
 * Redirects are not followed. Rejects when there is no answer within five seconds.
 */
export function askSts(
  address: string,
  headers: Readonly<Record<string, string>>,
  endpoint?: string,
): Promise<{ readonly status: number; readonly body: string }> {
  const { host, pathname, search } = new URL(address)
  const to = new URL(`${pathname}${search}`, endpoint ?? address)
  const request = to.protocol === 'https:' ? secure : plain
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(5000)
    // a connection of its own: one that is kept is dead after the function was frozen
    const options = { headers: { ...headers, host }, signal, agent: false as const }
    const asking = request(to, options, (answer) => {
      let body = ''
      answer.setEncoding('utf8')
      answer.on('data', (text: string) => {
        body = (body + text).slice(0, mostText)
      })
      answer.once('error', reject)
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, body }))
    })
    asking.once('error', reject)
    asking.end()
  })
}
