import type { SenderSetup } from './sender.ts'
import { WebClient } from './web-client.ts'

/** The client of a destination: its time limit, authorities, and our certificate from its secret. */
export function webClientOf({ destination, secret, now }: SenderSetup): WebClient {
  const { timeoutMs, authorities } = destination
  const { certificate, 'private-key': privateKey } = secret
  return new WebClient({
    ...{ timeoutMs, now },
    ...(authorities !== undefined && { authorities }),
    ...(certificate !== undefined && { certificate }),
    ...(privateKey !== undefined && { privateKey }),
  })
}

/** The header that proves who we are, from the members that a secret has. */
export function authorizationOf(secret: Readonly<Record<string, string>>): Record<string, string> {
  const { token, username, password } = secret
  if (token !== undefined) return { authorization: `Bearer ${token}` }
  if (username === undefined || password === undefined) return {}
  const both = Buffer.from(`${username}:${password}`).toString('base64')
  return { authorization: `Basic ${both}` }
}
