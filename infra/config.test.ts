import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type ConfigError, describeConfig, readConfig } from './config.ts'

const mistakes = (given: unknown) => {
  try {
    readConfig(given)
  } catch (error) {
    return (error as ConfigError).mistakes
  }
  return []
}

describe('the configuration of an installation', () => {
  it('has a default for all that need not be said', () => {
    expect(readConfig(undefined)).toEqual(readConfig('{}'))
    expect(readConfig({})).toMatchObject({
      name: 'lanner',
      response: false,
      clusters: [],
      tags: {},
      ...{ approvers: [], memberAccounts: [] },
    })
    expect(readConfig({ clusters: [{ name: 'prod' }] }).clusters).toEqual([
      { name: 'prod', namespace: 'lanner', serviceAccount: 'lanner' },
    ])
  })

  it('is refused with every mistake, and the nearest right name', () => {
    expect(
      mistakes({
        ...{ nmae: 'x', shards: 0, fips: 'yes', logDays: 91, tags: { a: 1 } },
        ...{ approvers: ['ann'], memberAccounts: '222222222222' },
        clusters: [
          { name: 'a', regoin: 'x' },
          { name: 'a', account: '1' },
          { name: 'b', account: '222222222222' },
          { name: 'c'.repeat(42) },
        ],
      }),
    ).toEqual([
      'nmae: there is no such setting; did you mean name?',
      'shards: expected a whole number from 1 to 200, found 0',
      expect.stringMatching(/^logDays: expected 1, 3, .* found 91$/),
      'fips: expected true or false, found "yes"',
      expect.stringMatching(/^approvers: expected a list of ARNs .* found \["ann"\]$/),
      'memberAccounts: expected a list of the twelve digits of accounts, found "222222222222"',
      'tags.a: expected a text',
      'clusters[0].regoin: there is no such setting; did you mean region?',
      'clusters[1].account: expected the twelve digits of an account, found "1"',
      'clusters: a is there twice',
      `clusters: ${'c'.repeat(42)} is too long for names of roles: 41 characters at most`,
      'clusters: b is elsewhere: then the home account and region must be set',
    ])
    expect(mistakes('{')).toHaveLength(1)
    expect(mistakes([])).toEqual(['expected a map'])
  })

  it('is refused when two clusters would have one stack', () => {
    const clusters = ['a_b', 'a-b', 'c_d'].map((name) => ({ name }))
    expect(mistakes({ clusters })).toEqual([
      'clusters: a_b and a-b would both be the stack lanner-cluster-a-b',
    ])
  })

  it('is refused with FIPS where there is none', () => {
    const clusters = [{ name: 'a' }, { name: 'b', region: 'ca-west-1' }]
    const place = (region: string) => ({ account: '111111111111', region, fips: true })
    for (const region of ['us-east-1', 'ca-central-1', 'us-gov-west-1']) {
      expect(mistakes({ ...place(region), clusters }), region).toEqual([])
    }
    const far = { name: 'far', region: 'eu-west-1' }
    expect(mistakes({ ...place('eu-central-1'), clusters: [...clusters, far] })).toEqual([
      'fips: eu-central-1 has no FIPS endpoints; us-*, ca-* and us-gov-* have',
      'fips: far is in eu-west-1, which has no FIPS endpoints',
    ])
    expect(mistakes({ fips: true })).toEqual(['fips: then the home region must be set'])
    expect(mistakes({ ...place('eu-central-1'), fips: false, clusters: [far] })).toEqual([])
  })

  it('is refused when its lists are longer than AWS takes', () => {
    const clusters = (count: number) =>
      Array.from({ length: count }, (_, at) => ({ name: `${at}`.padStart(31, 'c') }))
    expect(mistakes({ clusters: clusters(88) })).toEqual([])
    expect(mistakes({ clusters: clusters(89) })).toEqual([
      expect.stringMatching(/^clusters: their names take 2847 bytes of 2816 .*any cluster/),
    ])
    const approver = `arn:aws:sts::111111111111:assumed-role/${'r'.repeat(300)}`
    expect(mistakes({ approvers: Array(10).fill(approver) })).toEqual([
      expect.stringMatching(/^approvers: they take 3399 bytes of 2816 /),
    ])
    const accounts = (count: number) =>
      Array.from({ length: count }, (_, at) => String(100_000_000_000 + at))
    const home = { account: '999999999999', region: 'eu-central-1' }
    const far = [{ name: 'far', account: '888888888888' }]
    expect(mistakes({ ...home, memberAccounts: accounts(450) })).toEqual([])
    expect(mistakes({ ...home, memberAccounts: accounts(450), clusters: far })).toEqual([
      "memberAccounts: 451 accounts with those of clusters; the stream's policy holds 450",
    ])
  })

  it('is documented as it is', () => {
    const text = readFileSync(new URL('./README.md', import.meta.url), 'utf8')
    expect(text).toContain(describeConfig())
  })
})
