import { expect, it } from 'vitest'
import { makeEvent, makeProcess } from '#testing/events.ts'
import { readField } from '#testing/read-field.ts'

const ann = { uid: 1000, gid: 100, name: 'ann', home: '/home/ann', shell: '/bin/zsh' }

it('a user is read from the files, <NA> when not there', () => {
  const event = makeEvent('execve', { euid: 1000, egid: 100, users: [ann] })
  expect(readField(event, 'user.uid')).toBe(1000)
  expect(readField(event, 'user.name')).toBe('ann')
  expect(readField(event, 'user.homedir')).toBe('/home/ann')
  expect(readField(event, 'user.shell')).toBe('/bin/zsh')
  expect(readField(event, 'group.name')).toBe('<NA>')
  const unknown = makeEvent('execve', { euid: 7, egid: 7 })
  for (const field of ['user.name', 'user.homedir', 'user.shell', 'group.name']) {
    expect(readField(unknown, field)).toBe('<NA>')
  }
})

it('root has its name without any file', () => {
  const event = makeEvent('execve', { euid: 0, egid: 0 })
  expect(readField(event, 'user.name')).toBe('root')
  expect(readField(event, 'user.homedir')).toBe('/root')
  expect(readField(event, 'group.name')).toBe('root')
})

it('a login id that was never set is -1', () => {
  const event = makeEvent('execve')
  expect(readField(event, 'user.loginuid')).toBe(-1)
  expect(readField(event, 'user.loginname')).toBe('<NA>')
  const process = makeProcess({ loginUid: 1000 })
  expect(readField(makeEvent('execve', { process, users: [ann] }), 'user.loginname')).toBe('ann')
})

it('the acting user is the one at the event, not the one at the exec', () => {
  const event = makeEvent('setuid', { process: makeProcess({ uid: 0 }), euid: 1000 })
  expect(readField(event, 'user.uid')).toBe(1000)
})
