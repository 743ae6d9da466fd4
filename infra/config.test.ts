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

  it('is documented as it is', () => {
    const text = readFileSync(new URL('./README.md', import.meta.url), 'utf8')
    expect(text).toContain(describeConfig())
  })
})
