import { expect, it } from 'vitest'
import { followSenders } from './follow-senders.ts'
import type { TrustedSenders } from './read-senders.ts'

it('whom to believe is read again after a minute; what cannot be used changes nothing', async () => {
  let now = 0
  let list: TrustedSenders | Error = new Error('no answer')
  const made: TrustedSenders[] = []
  const problems: unknown[] = []
  const senders = followSenders({
    read: async () => {
      if (list instanceof Error) throw list
      return list
    },
    make: (trusted) => {
      if (trusted.enrolled.length > 0) throw new Error('a bad key')
      made.push(trusted)
      return { judge: async () => [] }
    },
    now: () => now,
    onProblem: (error) => problems.push(error),
  })
  await expect(senders.judge([])).rejects.toThrow('no answer')
  list = { issuers: [], enrolled: [] }
  await senders.judge([])
  list = { issuers: [{ issuer: 'https://i', cluster: 'c' }], enrolled: [] }
  now = 59_000
  await senders.judge([])
  expect(made).toHaveLength(1)
  now = 60_000
  await senders.judge([])
  now = 120_000
  await senders.judge([])
  expect(made.map(({ issuers }) => issuers.length)).toEqual([0, 1])
  list = { issuers: [], enrolled: [{ cluster: 'c', node: 'n', publicKey: 'x' }] }
  now = 180_000
  await senders.judge([])
  list = new Error('no answer')
  now = 240_000
  await senders.judge([])
  expect(problems).toHaveLength(2)
  expect(made).toHaveLength(2)
})
