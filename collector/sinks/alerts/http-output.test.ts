import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { VirtualClock } from '#testing/virtual-clock.ts'
import { type HttpOutputOptions, openHttpOutput } from './http-output.ts'

type Reply = (request: IncomingMessage, response: ServerResponse, body: string) => void

const status =
  (code: number, headers: Record<string, string> = {}): Reply =>
  (_, response) =>
    response.writeHead(code, headers).end('{}')
const stall: Reply = () => {}
const hangUp: Reply = (request) => request.socket.destroy()

/** A receiver whose behaviour a test changes. */
class Receiver {
  reply: Reply = status(200)
  readonly seen: { readonly body: string; readonly request: IncomingMessage }[] = []
  connections = 0
  now = 0
  most = 0
  host = ''
  server!: Server

  async start(port = 0): Promise<void> {
    this.server = createServer(async (request, response) => {
      this.now += 1
      this.most = Math.max(this.most, this.now)
      response.on('close', () => {
        this.now -= 1
      })
      let body = ''
      for await (const part of request) body += part
      this.seen.push({ body, request })
      this.reply(request, response, body)
    })
    this.server.on('connection', () => {
      this.connections += 1
    })
    this.server.listen(port, '127.0.0.1')
    await once(this.server, 'listening')
    this.host = `127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  get bodies(): string[] {
    return this.seen.map(({ body }) => body)
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections()
    if (!this.server.listening) return
    this.server.close()
    await once(this.server, 'close')
  }
}

let receiver: Receiver
let said: string[] = []
let clock: VirtualClock
const opened: ReturnType<typeof openHttpOutput>[] = []
beforeEach(async () => {
  said = []
  clock = new VirtualClock()
  receiver = new Receiver()
  await receiver.start()
})
afterEach(async () => {
  await receiver.stop()
  for (const output of opened.splice(0)) await output.close()
})

function open(facts: Partial<HttpOutputOptions> = {}) {
  const output = openHttpOutput({
    url: `http://${receiver.host}/`,
    announce: (text) => said.push(text),
    clock,
    random: () => 1,
    ...facts,
    limits: { closeMs: 200, ...facts.limits },
  })
  opened.push(output)
  return output
}

const alert = (number: number) => JSON.stringify({ rule: 'r', number })
const alerts = (count: number) => Array.from({ length: count }, (_, number) => alert(number))
/** The end takes real time: so much of it that only a fault can make it too short. */
const plentyToClose = { closeMs: 20_000 }
const until = (check: () => void) => vi.waitFor(check, { timeout: 60_000, interval: 2 })

describe('alerts over HTTP', () => {
  it('arrive as Falcosidekick wants them, one a request, over few connections', async () => {
    receiver.reply = (_, response) => setTimeout(() => response.end(), 2)
    const output = open()
    for (const body of alerts(100)) output.write(body)
    await until(() => expect(output.figures).toEqual({ written: 100, dropped: 0 }))
    expect(receiver.bodies.toSorted()).toEqual(alerts(100).toSorted())
    expect(receiver.seen[0]!.request).toMatchObject({
      method: 'POST',
      url: '/',
      headers: { 'content-type': 'application/json' },
    })
    expect(receiver.most).toBe(4)
    expect(receiver.connections).toBe(4)
    expect(said).toEqual([])
  })

  it('are tried again when the connection fails or the receiver is in trouble', async () => {
    const replies = [hangUp, status(500), status(503), status(408), hangUp]
    receiver.reply = (...all) => (replies.shift() ?? status(200))(...all)
    const output = open()
    output.write(alert(0))
    await until(() => expect(output.figures).toEqual({ written: 1, dropped: 0 }))
    expect(receiver.bodies).toEqual(Array(6).fill(alert(0)))
    // 250, 500, … at most
    expect(clock.now()).toBe(250 + 500 + 1000 + 2000 + 4000)
    expect(said).toEqual([
      `alerts to ${receiver.host} wait: the receiver answers 503`,
      `${receiver.host} answers again`,
    ])
  })

  it('wait as long as the receiver asks, within reason', async () => {
    const seconds = ['7', '100000', 'soon']
    receiver.reply = (...all) => {
      const after = seconds.shift()
      status(after === undefined ? 200 : 429, { 'retry-after': after ?? '0' })(...all)
    }
    const output = open()
    output.write(alert(0))
    await until(() => expect(output.figures.written).toBe(1))
    expect(clock.now()).toBe(7000 + 60_000 + 1000)
  })

  it('are given up after some minutes, and not tried without end', async () => {
    receiver.reply = status(500)
    const output = open()
    for (const body of alerts(5)) output.write(body)
    await until(() => expect(output.figures).toEqual({ written: 0, dropped: 5 }))
    expect(clock.now()).toBeGreaterThanOrEqual(180_000)
    expect(clock.now()).toBeLessThan(240_000)
    expect(receiver.seen.length).toBeLessThan(20)
    expect(said.at(-1)).toBe(
      `alerts to ${receiver.host} are dropped: not taken for 180 s (the receiver answers 500)`,
    )
    receiver.reply = status(200)
    clock.onSecond = () => {}
    output.write(alert(9))
    await until(() => expect(output.figures.written).toBe(1))
  })

  it('do not wait for one that always makes the receiver fail', async () => {
    receiver.reply = (request, response, body) =>
      status(body === alert(0) ? 500 : 200)(request, response, body)
    const output = open()
    for (const body of alerts(50)) output.write(body)
    await until(() => expect(output.figures).toEqual({ written: 49, dropped: 1 }))
  })

  it('are dropped at once when they are refused; a redirect is no address', async () => {
    let followed = false
    receiver.reply = (request, response, body) => {
      followed ||= request.url === '/elsewhere'
      const code = body === alert(0) ? 400 : body === alert(1) ? 302 : 200
      status(code, { location: `http://${receiver.host}/elsewhere` })(request, response, body)
    }
    const output = open()
    for (const body of alerts(3)) output.write(body)
    await until(() => expect(output.figures).toEqual({ written: 1, dropped: 2 }))
    expect(followed).toBe(false)
    expect(said.toSorted()).toEqual([
      `alerts to ${receiver.host} are dropped: the receiver answers 302`,
      `alerts to ${receiver.host} are dropped: the receiver answers 400`,
    ])
  })

  it('do not wait for a receiver that stalls, nor grow without bound', async () => {
    receiver.reply = stall
    const output = open({ limits: { alerts: 10, timeoutMs: 400, giveUpMs: 1000 } })
    for (const body of alerts(15)) output.write(body)
    expect(output.figures.dropped).toBe(5)
    await until(() => expect(output.figures.dropped).toBe(15))
    expect(said).toContain(`alerts to ${receiver.host} are dropped: too many of them wait already`)
    expect(said.at(-1)).toMatch(/not taken for 1 s \(no answer within 0.4 s\)$/)
    receiver.reply = status(200)
    output.write(alert(99))
    await until(() => expect(output.figures.written).toBe(1))
  })

  it('are bounded in bytes, too', () => {
    receiver.reply = stall
    const output = open({ limits: { bytes: 100 } })
    for (let i = 0; i < 4; i++) output.write('x'.repeat(30))
    expect(output.figures.dropped).toBe(1)
  })

  it('arrive once the receiver is there', async () => {
    const { host } = receiver
    await receiver.stop()
    const output = open({ url: `http://${host}/` })
    for (const body of alerts(20)) output.write(body)
    let isBack = false
    clock.onSecond = async (second) => {
      if (second < 30 || isBack) return
      isBack = true
      await receiver.start(Number(host.split(':')[1]))
    }
    await until(() => expect(output.figures).toEqual({ written: 20, dropped: 0 }))
    expect(said[0]).toBe(`alerts to ${host} wait: ECONNREFUSED`)
  })

  it('get a last try at the end while the receiver is left alone', async () => {
    receiver.reply = status(503, { 'retry-after': '60' })
    const resting = Promise.withResolvers<void>()
    const output = open({
      clock: {
        now: () => 0,
        sleep: (ms, signal) => {
          expect(ms).toBe(60_000)
          resting.resolve()
          return hold(signal)
        },
      },
      limits: plentyToClose,
    })
    output.write(alert(0))
    await resting.promise
    receiver.reply = status(200)
    await output.close()
    expect(output.figures).toEqual({ written: 1, dropped: 0 })
    expect(receiver.bodies).toEqual([alert(0), alert(0)])
  })

  it('get it when the end begins before the receiver has refused them', async () => {
    const refuse: (() => void)[] = []
    receiver.reply = (...all) => refuse.push(() => status(503, { 'retry-after': '60' })(...all))
    const output = open({
      clock: { now: () => 0, sleep: (_, signal) => hold(signal) },
      limits: plentyToClose,
    })
    for (const body of alerts(6)) output.write(body)
    await until(() => expect(receiver.seen.length).toBe(4))
    const closing = output.close()
    receiver.reply = status(200)
    for (const answer of refuse) answer()
    await closing
    expect(output.figures).toEqual({ written: 6, dropped: 0 })
    expect(receiver.seen.length).toBe(4 + 6)
  })

  it('get one each, also where the last try of another has failed', async () => {
    const answers: ((code: number) => void)[] = []
    receiver.reply = (...all) => answers.push((code) => status(code)(...all))
    const rest = Promise.withResolvers<void>()
    const output = open({
      clock: { now: () => 0, sleep: () => rest.promise },
      limits: { inFlight: 2, ...plentyToClose },
    })
    for (const body of alerts(2)) output.write(body)
    await until(() => expect(answers.length).toBe(2))
    const closing = output.close()
    answers[0]!(503)
    await until(() => expect(answers.length).toBe(3))
    answers[2]!(503)
    answers[1]!(503)
    await until(() => expect(answers.length).toBe(4))
    answers[3]!(200)
    await until(() => expect(output.figures.written).toBe(1))
    expect(receiver.bodies.toSorted()).toEqual([alert(0), alert(0), alert(1), alert(1)])
    // there is time left: once the receiver was left alone the other is tried again
    rest.resolve()
    await until(() => expect(answers.length).toBe(5))
    answers[4]!(200)
    await closing
    expect(output.figures).toEqual({ written: 2, dropped: 0 })
  })

  it('are counted when the end leaves no time for them', async () => {
    receiver.reply = stall
    const output = open()
    for (const body of alerts(6)) output.write(body)
    await output.close()
    expect(output.figures).toEqual({ written: 0, dropped: 6 })
    expect(said.at(-1)).toMatch(/not taken in time for the end of the agent$/)
    output.write(alert(1))
    expect(output.figures.dropped).toBe(7)
  })

  it('go with the credentials of the URL, which are never shown', async () => {
    receiver.reply = status(401)
    const output = open({ url: `http://falco:s3cr%40t@${receiver.host}/in?token=t0ken` })
    output.write(alert(0))
    await until(() => expect(output.figures.dropped).toBe(1))
    expect(receiver.seen[0]!.request.headers.authorization).toBe(`Basic ${btoa('falco:s3cr@t')}`)
    expect(receiver.seen[0]!.request.url).toBe('/in?token=t0ken')
    for (const url of ['http://falco:s3cr@t@:x/', 'ftp://falco:s3cr@h/', 's3cr']) {
      try {
        open({ url })
        expect.unreachable()
      } catch (error) {
        said.push((error as Error).message)
      }
    }
    expect(said).toEqual([
      `alerts to ${receiver.host} are dropped: the receiver answers 401`,
      'alerts.http.url: not a URL',
      'alerts.http.url: begins with ftp:, not with http: or https:',
      'alerts.http.url: not a URL',
    ])
  })
})

/** Sleeps until the signal. */
function hold(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve()))
}
