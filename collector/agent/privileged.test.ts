import { expect, it } from 'vitest'
import { isPrivileged } from './privileged.ts'

const all = (1n << 41n) - 1n
const facts = {
  capBounding: all,
  seccompMode: 0,
  userNamespace: 0xefff_fffd,
  hostDevices: 12,
}

it('a container with every right of the host is privileged', () => {
  expect(isPrivileged(facts, all)).toBe(true)
  expect(isPrivileged({ ...facts, hostDevices: undefined }, all)).toBe(true)
})

it.each([
  ['a capability less', { capBounding: all & ~(1n << 21n) }],
  ['the capabilities Docker gives', { capBounding: 0xa80425fbn }],
  ['a seccomp filter', { seccompMode: 2 }],
  ['a user namespace of its own', { userNamespace: 0xefff_f000 }],
  ['no device of the host', { hostDevices: 0 }],
])('a container with %s is not', (_name, less) => {
  expect(isPrivileged({ ...facts, ...less }, all)).toBe(false)
})

it('nothing is privileged while the rights of the host are not known', () => {
  expect(isPrivileged({ ...facts, capBounding: 0n }, 0n)).toBe(false)
})

it('capabilities that this host does not have do not matter', () => {
  expect(isPrivileged({ ...facts, capBounding: (1n << 38n) - 1n }, (1n << 38n) - 1n)).toBe(true)
})
