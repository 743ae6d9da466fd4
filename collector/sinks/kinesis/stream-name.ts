/** A Kinesis stream, as it may be named. */
export interface NamedStream {
  readonly name: string
  /** For people: the name, and of an ARN account and region. */
  readonly label: string
  /** Without it, the stream is in the account of whoever asks. */
  readonly arn?: string
  /** Region of the ARN. */
  readonly region?: string
}

/**
 * Reads how a stream is named: by its name, or by its ARN of any partition, which alone finds it from
 * another account. `undefined` for a text that is neither.
 */
export function streamNamed(text: string): NamedStream | undefined {
  if (namePattern.test(text)) return { name: text, label: text }
  const [arn, region, account, name] = arnPattern.exec(text) ?? []
  if (arn === undefined || region === undefined || name === undefined) return undefined
  return { name, label: `${name} of account ${account} in ${region}`, arn, region }
}

const namePattern = /^[a-zA-Z0-9_.-]{1,128}$/
const arnPattern =
  /^arn:aws(?:-[a-z]+)*:kinesis:([a-z]+(?:-[a-z]+)+-[0-9]+):([0-9]{12}):stream\/([a-zA-Z0-9_.-]{1,128})$/
