import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { readSenders } from './read-senders.ts'

const read = (text: string) => readSenders({ name: 'senders.json', text })
const said = (value: unknown) =>
  read(JSON.stringify(value, null, 1)).diagnostics.map(
    ({ at, message }) => `${at.line}:${at.column} ${message}`,
  )
const { publicKey } = generateKeyPairSync('ed25519')
const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string
const issuer = { issuer: 'https://oidc.x/id/A', cluster: 'prod' }
const node = { cluster: 'prod', node: 'bastion', publicKey: pem }

describe('senders.json', () => {
  it('gives what it says, key sets as they are', () => {
    const keys = { keys: [{ kty: 'RSA', n: '0', e: 'AQAB', kid: '1' }] }
    const whole = {
      issuers: [issuer, { ...issuer, issuer: 'https://b', keys, audience: 'lanner' }],
      enrolled: [node],
    }
    expect(read(JSON.stringify(whole))).toMatchObject({ ok: true, trusted: whole })
    expect(read('{}').trusted).toEqual({ issuers: [], enrolled: [] })
  })

  it('is refused with all its mistakes', () => {
    const bad = {
      issuer: [],
      issuers: [
        { issuer: 'http://x', cluster: 'c', subjct: 'y', subject: 'lanner' },
        { issuer: 'https://y', keys: [] },
        7,
      ],
      enrolled: [{ cluster: 'c', node: 'n', publicKey: 'AAAA' }],
    }
    expect(said(bad).toSorted()).toEqual([
      '10:3 cluster is missing',
      '12:12 keys is no JSON Web Key Set: {"keys": […]}',
      '14:3 issuers holds maps only',
      '20:17 publicKey is no Ed25519 key as PEM or base64',
      '2:2 the key "issuer" has no meaning here; did you mean issuers?',
      '5:14 issuer is no https address',
      '7:4 the key "subjct" has no meaning here; did you mean subject?',
      '8:15 subject is no system:serviceaccount:NAMESPACE:NAME',
    ])
    expect(said([])).toEqual(['1:1 whom to believe is a map of "issuers" and "enrolled"'])
    expect(read('{').diagnostics[0]?.message).toMatch(/^it is no JSON/)
  })

  it('believes nobody twice', () => {
    const other = { ...issuer, cluster: 'dev' }
    expect(said({ issuers: [issuer, other], enrolled: [node, node] })).toEqual([
      '1:1 the issuer "https://oidc.x/id/A" is there twice',
      '1:1 the node "prod/bastion" is there twice',
    ])
  })
})
