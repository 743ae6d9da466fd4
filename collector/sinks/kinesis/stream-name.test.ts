import { describe, expect, it } from 'vitest'
import { streamNamed } from './stream-name.ts'

describe('a stream', () => {
  it('goes by its name, in the account and region of whoever asks', () => {
    expect(streamNamed('lanner-stream')).toEqual({ name: 'lanner-stream', label: 'lanner-stream' })
    expect(streamNamed('a'.repeat(128))).toBeDefined()
  })

  it.each([
    ['aws', 'eu-central-1'],
    ['aws-cn', 'cn-north-1'],
    ['aws-us-gov', 'us-gov-west-1'],
    ['aws-iso-b', 'us-isob-east-1'],
    ['aws-eusc', 'eusc-de-east-1'],
  ])('goes by its ARN in the partition %s', (partition, region) => {
    const arn = `arn:${partition}:kinesis:${region}:111111111111:stream/lanner-stream`
    expect(streamNamed(arn)).toEqual({
      ...{ name: 'lanner-stream', arn, region },
      label: `lanner-stream of account 111111111111 in ${region}`,
    })
  })

  const arn = 'arn:aws:kinesis:eu-central-1:111111111111:stream/s'
  it.each([
    ...['', 'a b', 'a/b', 'a'.repeat(129), 'stream/s', `${arn} `, `${arn}\n`, 'ärger'],
    ...['arn:aws:kinesis:x', arn.replace('kinesis', 'firehose'), arn.replace('aws', 'gcp')],
    ...[arn.replace('1111', ''), arn.replace('eu-central-1', ''), arn.replace('/s', '/')],
    ...[arn.replace('/s', `/${'s'.repeat(129)}`), `${arn}/consumer/c:1`, arn.toUpperCase()],
    arn.replace('stream/', 'deliverystream/'),
  ])('is not %j', (text) => {
    expect(streamNamed(text)).toBeUndefined()
  })
})
