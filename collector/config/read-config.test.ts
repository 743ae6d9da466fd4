import { describe, expect, it } from 'vitest'
import { readConfig } from './read-config.ts'

const read = (text: string, environment = {}) => readConfig({ name: 'c.yaml', text }, environment)
const mistakesIn = (text: string) => {
  const result = read(text)
  return result.ok ? [] : result.mistakes
}
const least = 'rules: {paths: /r}\nkinesis: {stream: s}\n'

describe('the configuration of the agent', () => {
  it('is its defaults where the file says nothing', () => {
    const result = read(least)
    expect(result).toMatchObject({
      ok: true,
      config: {
        rules: { paths: ['/r'], matching: 'first' },
        spool: { limit: 256 << 20 },
        batch: { wait: 1, heartbeat: 30 },
        alerts: { mode: 'off', file: { keep: 3 } },
        health: { port: 9464 },
      },
    })
  })

  it('takes units', () => {
    const result = read(`${least}spool: {limit: 1GiB}\nbatch: {wait: 500ms}\nfold: {window: 1m}\n`)
    expect(result).toMatchObject({
      config: { spool: { limit: 1 << 30 }, batch: { wait: 0.5 }, fold: { window: 60 } },
    })
  })

  it('takes names from the environment where the file has none', () => {
    const environment = { LANNER_NODE: 'n1', LANNER_STREAM: 'other', LANNER_CLUSTER: 'c' }
    expect(read(`${least}cluster: mine\n`, environment)).toMatchObject({
      config: { cluster: 'mine', node: 'n1', kinesis: { stream: 's' } },
    })
  })

  it('takes the ARN of a stream in any partition, and its region once', () => {
    for (const [partition, region] of [
      ['aws', 'eu-central-1'],
      ['aws-cn', 'cn-north-1'],
      ['aws-us-gov', 'us-gov-west-1'],
    ]) {
      const stream = `arn:${partition}:kinesis:${region}:111111111111:stream/s`
      const alone = { stream, region: '' }
      expect(read(`rules: {paths: /r}\nkinesis: {stream: "${stream}"}\n`)).toMatchObject({
        config: { kinesis: alone },
      })
      expect(read('rules: {paths: /r}', { LANNER_STREAM: stream })).toMatchObject({
        config: { kinesis: alone },
      })
      const both = `rules: {paths: /r}\nkinesis: {stream: "${stream}", region: ${region}}\n`
      expect(read(both)).toMatchObject({ ok: true })
      expect(mistakesIn(both.replace(`region: ${region}`, 'region: us-east-1'))).toEqual([
        `c.yaml: kinesis.region is us-east-1, but the stream of kinesis.stream is in ${region}`,
      ])
    }
  })

  it('says where a stream cannot be one', () => {
    const wanted = 'name or ARN of a Kinesis stream is wanted, not'
    const arn = 'arn:aws:kinesis:eu-central-1:1111:stream/s'
    expect(mistakesIn(`rules: {paths: /r}\nkinesis: {stream: "${arn}"}`)[0]).toBe(
      `c.yaml:2:19: ${wanted} "${arn}"`,
    )
    const result = read('rules: {paths: /r}', { LANNER_STREAM: 'a b' })
    expect(result).toEqual({ ok: false, mistakes: [`LANNER_STREAM: ${wanted} "a b"`] })
    expect(read(least, { LANNER_STREAM: 'a b' })).toMatchObject({ ok: true })
  })

  it('is refused with every mistake and its place', () => {
    const text =
      'clutser: x\nrules:\n  paths: [/r]\n  matching: frist\nspool: {limit: 3}\nalerts: on\nkinesis: {stream: s}\n'
    expect(mistakesIn(text)).toEqual([
      'c.yaml:1:1: there is no setting "clutser"; did you mean "cluster"?',
      'c.yaml:4:13: first | all is wanted, not "frist"; did you mean "first"?',
      'c.yaml:5:16: a size such as 256MiB, at least 8MiB is wanted, not "3"',
      'c.yaml:6:9: settings are wanted here: mode, stdout, file, http',
    ])
  })

  it('must make sense as a whole', () => {
    expect(mistakesIn('')).toEqual([
      'c.yaml: rules.paths names no rules: nothing would be detected',
      'c.yaml: neither kinesis.stream nor alerts.mode is set: nothing would leave the node',
    ])
    expect(mistakesIn(`${least}identity: {instance: node}\nkubernetes: {mode: off}`)).toEqual([
      'c.yaml: identity.instance is node, but kubernetes.mode is off: nobody could be asked',
    ])
    expect(mistakesIn('rules: {paths: /r}\nalerts: {mode: always, stdout: false}')).toEqual([
      'c.yaml: alerts.mode is on, but alerts go nowhere: set alerts.stdout, alerts.file.path or alerts.http.url',
    ])
  })

  it('may be broken YAML, and says where', () => {
    expect(mistakesIn(`${least}a: [`)[0]).toMatch(/^c\.yaml:3:\d+: /)
  })
})
