import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { structsOf } from '#testing/btf.ts'
import * as layout from './layout.ts'

const object = new URL('../../build/sensor.bpf.o', import.meta.url)

/** Struct of `event.h` and what mirrors it; offsets of a struct that embeds another are from its start. */
const mirrored = {
  event: layout.EVENT,
  call_event: layout.CALL,
  process_event: layout.PROCESS,
  fork_event: layout.FORK,
  exit_event: layout.EXIT,
  file_item: layout.FILE_ITEM,
  socket_item: layout.SOCKET_ITEM,
  open_how_item: layout.OPEN_HOW_ITEM,
  control: layout.CONTROL,
  filter: layout.FILTER,
  progress: layout.PROGRESS,
  cpu_counters: layout.CPU_COUNTERS,
}
const sizes = {
  event: layout.EVENT_BYTES,
  call_event: layout.CALL_BYTES,
  process_event: layout.PROCESS_BYTES,
  fork_event: layout.FORK_BYTES,
  exit_event: layout.EXIT_BYTES,
  filter: layout.FILTER_BYTES,
  file_item: layout.FILE_ITEM_BYTES,
  cpu_counters: layout.CPU_COUNTERS_BYTES,
}
const ignored = new Set(['event', 'pad', 'pad2'])

describe.skipIf(!existsSync(object))('the layout of the wire', () => {
  const structs = existsSync(object) ? structsOf(readFileSync(object)) : new Map()

  it.each(Object.entries(mirrored))('of struct %s is that of the built object', (name, offsets) => {
    const struct = structs.get(name)
    const members = [...(struct?.members ?? [])].filter(([member]) => !ignored.has(member))
    expect(Object.fromEntries(members)).toEqual(offsets)
  })

  it.each(Object.entries(sizes))('gives struct %s its size', (name, size) => {
    expect(structs.get(name)?.size).toBe(size)
  })
})
