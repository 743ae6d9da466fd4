import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readClusters } from './read-clusters.ts'

const good = {
  server: 'https://x',
  caPem: 'BEGIN CERTIFICATE',
  region: 'r',
  roles: { read: 'arn:read' },
}

describe('clusters.json', () => {
  it('is refused with all its mistakes', () => {
    const read = (text: string) => readClusters({ name: 'clusters.json', text })
    const said = (text: string) => {
      return read(text).diagnostics.map(({ at, message }) => `${at.line}:${at.column} ${message}`)
    }
    const bad = {
      a: { server: 'http://x', region: 'r', roles: { raed: 'x' }, extrenalId: 'y' },
      b: 1,
    }
    expect(said(JSON.stringify(bad, null, 1))).toEqual([
      '8:3 the key "extrenalId" has no meaning here; did you mean externalId?',
      '3:13 server is no https address',
      '2:2 caPem is missing',
      '6:4 there is no class raed: one of read, mark, contain, destroy, node; did you mean read?',
      '5:12 roles.read is missing',
      '10:7 "b" must be a map',
    ])
    expect(said('{"a": }')[0]).toMatch(/^1:7 it is no JSON: /)
    const late = JSON.stringify({ c: good, d: good }, null, 1).replace('"d":', '"d": oops,')
    expect(said(late)[0]).toMatch(/^10:7 it is no JSON: /)
    expect(said('{"a":')[0]).toMatch(/^1:6 it is no JSON: /)
    expect(said('[]')).toEqual(['1:1 clusters are a map from names of clusters'])
    expect(said('{"a": 1, "a": 2}')).toHaveLength(2)
    expect(read(JSON.stringify({ c: good })).clusters.get('c')).toEqual({ ...good, name: 'c' })
  })

  it('gives what JSON holds, whatever texts are in it', () => {
    const text = fc.string({ minLength: 1, unit: 'binary' }).filter((one) => one !== '__proto__')
    const cluster = fc.record(
      {
        server: text.map((rest) => `https://${rest}`),
        caPem: text.map((rest) => `-----BEGIN CERTIFICATE-----\n${rest}`),
        ...{ region: text, eks: text, externalId: text },
        roles: fc.record({ read: text, mark: text, node: text }, { requiredKeys: ['read'] }),
      },
      { requiredKeys: ['server', 'caPem', 'region', 'roles'] },
    )
    const clusters = fc.dictionary(text, cluster, { maxKeys: 5 })
    fc.assert(
      fc.property(clusters, fc.constantFrom(undefined, 1, 2), (given, indent) => {
        const json = JSON.stringify(given, null, indent)
        const { ok, clusters, diagnostics } = readClusters({ name: 'c', text: json })
        expect(diagnostics).toEqual([])
        expect(ok).toBe(true)
        const named = Object.entries(given).map(([name, one]) => [name, { ...one, name }])
        expect(Object.fromEntries(clusters)).toEqual(Object.fromEntries(named))
      }),
    )
  })

  it('is refused without a crash, whatever is in it', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const { ok, clusters, diagnostics } = readClusters({ name: 'c', text })
        if (clusters.size === 0) return
        expect(ok).toBe(diagnostics.every(({ severity }) => severity !== 'error'))
      }),
    )
  })
})
