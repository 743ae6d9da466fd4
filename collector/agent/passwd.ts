import type { Group, User } from '#events'

/** Files come from containers: no more entries than this are believed. */
const entryLimit = 16_384

/** Users of a passwd file by uid; of several with one uid the first counts, as in libc. */
export function parsePasswd(text: string): ReadonlyMap<number, User> {
  const users = new Map<number, User>()
  for (const [name, , uidText, gidText, , home, shell] of entries(text, 7)) {
    const uid = parseId(uidText)
    const gid = parseId(gidText)
    if (uid === undefined || gid === undefined || users.has(uid)) continue
    users.set(uid, { uid, gid, name: name!, home: home!, shell: shell! })
  }
  return users
}

/** Groups of a group file by gid. */
export function parseGroup(text: string): ReadonlyMap<number, Group> {
  const groups = new Map<number, Group>()
  for (const [name, , gidText] of entries(text, 3)) {
    const gid = parseId(gidText)
    if (gid !== undefined && !groups.has(gid)) groups.set(gid, { gid, name: name! })
  }
  return groups
}

function* entries(text: string, fields: number): Generator<string[]> {
  let count = 0
  for (const line of text.split('\n')) {
    const parts = line.split(':')
    if (parts.length < fields || parts[0] === '' || line.startsWith('#')) continue
    yield parts
    count += 1
    if (count === entryLimit) return
  }
}

function parseId(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined
  const id = Number(text)
  return id <= 0xffff_ffff ? id : undefined
}
