import { expect, it } from 'vitest'
import { makeEvent, makeFile } from '#testing/events.ts'
import { readField } from '#testing/read-field.ts'

it('a path call has one path, absolute and as given', () => {
  const event = makeEvent('mkdirat', { args: { path: 'd' }, paths: { path: '/srv/d' } })
  expect(readField(event, 'fs.path.name')).toBe('/srv/d')
  expect(readField(event, 'fs.path.nameraw')).toBe('d')
  expect(readField(event, 'fs.path.source')).toBeUndefined()
})

it('a call that failed has none', () => {
  const event = makeEvent('unlink', { args: { path: '/x' }, result: -2 })
  expect(readField(event, 'fs.path.name')).toBeUndefined()
})

it('a rename goes from the old name to the new one', () => {
  const event = makeEvent('rename', { args: { oldpath: '/a', newpath: 'b' } })
  expect(readField(event, 'fs.path.source')).toBe('/a')
  expect(readField(event, 'fs.path.target')).toBe('/root/b')
  expect(readField(event, 'fs.path.targetraw')).toBe('b')
})

it('a link goes from the new name to the old one', () => {
  const link = makeEvent('linkat', { args: { oldpath: '/old', newpath: '/new' } })
  expect(readField(link, 'fs.path.source')).toBe('/new')
  expect(readField(link, 'fs.path.target')).toBe('/old')
  const symlink = makeEvent('symlink', { args: { target: '/t', linkpath: '/l' } })
  expect(readField(symlink, 'fs.path.source')).toBe('/l')
  expect(readField(symlink, 'fs.path.target')).toBe('/t')
})

it('a mount goes from the device to the directory', () => {
  const event = makeEvent('mount', { args: { dev: '/dev/sda1', dir: '/mnt' } })
  expect(readField(event, 'fs.path.source')).toBe('/dev/sda1')
  expect(readField(event, 'fs.path.target')).toBe('/mnt')
})

it('a call on a descriptor has its path', () => {
  const event = makeEvent('fchmod', { fd: makeFile('/etc/passwd') })
  expect(readField(event, 'fs.path.name')).toBe('/etc/passwd')
})

it('an open has the path it was given, a read has none', () => {
  const open = makeEvent('openat', { args: { name: '/etc/passwd' }, result: 3 })
  expect(readField(open, 'fs.path.name')).toBe('/etc/passwd')
  expect(readField(makeEvent('read', { fd: makeFile('/x') }), 'fs.path.name')).toBeUndefined()
})
