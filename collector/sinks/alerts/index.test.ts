import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openAlertOutputs } from './index.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lanner-alerts-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const none = { stdout: false, file: { path: '', limit: 1 << 20, keep: 3 } } as const
const silent = () => {}

it('the outputs are those of the configuration, and each gets every alert', async () => {
  expect(openAlertOutputs({ ...none, http: { url: '' } }, silent)).toEqual([])
  const posted: string[] = []
  const server = createServer(async (request, response) => {
    for await (const part of request) posted.push(String(part))
    response.end()
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const path = join(directory, 'alerts.json')
  const outputs = openAlertOutputs(
    { ...none, stdout: true, file: { ...none.file, path }, http: { url } },
    silent,
  )
  expect(outputs.length).toBe(3)
  const toElsewhere = outputs.slice(0, 2)
  for (const output of toElsewhere) output.write('{"a":1}')
  await Promise.all(outputs.map((output) => output.close()))
  server.close()
  expect(posted).toEqual(['{"a":1}'])
  expect(readFileSync(path, 'utf8')).toBe('{"a":1}\n')
  expect(toElsewhere.map(({ figures }) => figures)).toEqual(
    Array(2).fill({ written: 1, dropped: 0 }),
  )
})

it('what cannot be opened is an error that names the setting', () => {
  const file = { ...none.file, path: directory }
  expect(() => openAlertOutputs({ ...none, file, http: { url: '' } }, silent)).toThrow(
    'alerts.file.path: ',
  )
  expect(() => openAlertOutputs({ ...none, http: { url: 'nowhere' } }, silent)).toThrow(
    'alerts.http.url: ',
  )
})
