import { expect, it } from 'vitest'
import { LiveAlone } from './live-alone.ts'

it('a live test file beside another one is complained of, unit tests beside each other are not', () => {
  const said: string[] = []
  const order = new LiveAlone((text) => said.push(text))
  const file = (name: string, moduleId: string) => ({ moduleId, project: { name } })
  const [a, b] = [file('unit', '/a'), file('unit', '/b')]
  const [c, d] = [file('live', '/c'), file('live', '/d')]
  order.onTestModuleStart(a)
  order.onTestModuleStart(b)
  order.onTestModuleEnd(a)
  order.onTestModuleEnd(b)
  order.onTestModuleStart(c)
  order.onTestModuleEnd(c)
  expect(said).toEqual([])
  order.onTestModuleStart(d)
  order.onTestModuleStart(c)
  order.onTestModuleEnd(c)
  order.onTestModuleStart(a)
  order.onTestModuleEnd(d)
  order.onTestModuleStart(c)
  expect(said).toEqual([
    'live /c ran beside live /d',
    'unit /a ran beside live /d',
    'live /c ran beside unit /a',
  ])
})
