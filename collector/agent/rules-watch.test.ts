import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RulesWatch } from './rules-watch.ts'

let directory: string
let seen: string[]
let problems: string[]
let watch: RulesWatch

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rules-watch-'))
  writeFileSync(join(directory, 'a.yaml'), 'one')
  seen = []
  problems = []
  watch = new RulesWatch({
    paths: [directory],
    onChange: (files) => seen.push(files.map(({ text }) => text).join('+')),
    onUnreadable: (all) => problems.push(...all),
  })
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** Two looks: what changes is read once it rests. */
const look = () => {
  watch.look()
  watch.look()
}

describe('the watch over rules files', () => {
  it('says nothing while nothing changes', () => {
    look()
    expect(seen).toEqual([])
  })

  it('reads a file that was written, added or taken away, once each', () => {
    writeFileSync(join(directory, 'a.yaml'), 'two!')
    look()
    look()
    writeFileSync(join(directory, 'b.yaml'), 'more')
    look()
    rmSync(join(directory, 'b.yaml'))
    look()
    expect(seen).toEqual(['two!', 'two!+more', 'two!'])
  })

  it('waits for a file at rest', () => {
    writeFileSync(join(directory, 'a.yaml'), 'hal')
    watch.look()
    writeFileSync(join(directory, 'a.yaml'), 'whole')
    watch.look()
    expect(seen).toEqual([])
    watch.look()
    expect(seen).toEqual(['whole'])
  })

  it('sees the swap of links by which a ConfigMap changes', () => {
    const map = mkdtempSync(join(tmpdir(), 'config-map-'))
    for (const version of ['1', '2']) {
      mkdirSync(join(map, `..${version}`))
      writeFileSync(join(map, `..${version}`, 'r.yaml'), `v${version}`)
    }
    symlinkSync('..1', join(map, '..data'))
    symlinkSync('..data/r.yaml', join(map, 'r.yaml'))
    const texts: string[] = []
    const links = new RulesWatch({
      paths: [map],
      onChange: (files) => texts.push(...files.map(({ text }) => text)),
      onUnreadable: () => {},
    })
    symlinkSync('..2', join(map, '..data_tmp'))
    renameSync(join(map, '..data_tmp'), join(map, '..data'))
    links.look()
    links.look()
    expect(texts).toEqual(['v2'])
    rmSync(map, { recursive: true })
  })

  it('tells of rules that went away, and keeps looking', () => {
    rmSync(directory, { recursive: true })
    look()
    expect(seen).toEqual([])
    expect(problems.join()).toContain(directory)
    mkdirSync(directory)
    writeFileSync(join(directory, 'a.yaml'), 'back')
    look()
    expect(seen).toEqual(['back'])
  })
})
