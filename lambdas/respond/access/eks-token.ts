import { type Credentials, presignIdentity } from './presign.ts'

/** Milliseconds for which a token is used: STS takes it for 15 minutes after its date. */
const usedMs = 14 * 60_000 - 60_000

/** The token by which EKS knows an IAM principal: a signed question to STS, bound to the cluster's name. */
export async function eksToken(options: {
  readonly cluster: string
  readonly region: string
  readonly credentials: Credentials
  readonly date: Date
  readonly domain?: string
}): Promise<string> {
  const { cluster, ...presigning } = options
  const url = await presignIdentity({ ...presigning, headers: { 'x-k8s-aws-id': cluster } })
  return `k8s-aws-v1.${Buffer.from(url).toString('base64url')}`
}

/** A token that is good for some minutes yet, made anew when it is not, or was refused. */
export class TokenSource {
  readonly #make: (date: Date) => Promise<{ readonly token: string; readonly until?: Date }>
  readonly #now: () => number
  #token: Promise<string> | undefined
  #until = 0

  /** `until`: when the credentials end, if they do. `now` is milliseconds of the epoch. */
  constructor(
    make: (date: Date) => Promise<{ readonly token: string; readonly until?: Date }>,
    now: () => number,
  ) {
    this.#make = make
    this.#now = now
  }

  readonly token = (): Promise<string> => {
    const now = this.#now()
    if (this.#token !== undefined && now < this.#until) return this.#token
    this.#until = now + usedMs
    const made = this.#make(new Date(now)).then(({ token, until }) => {
      if (until !== undefined) this.#until = Math.min(this.#until, until.getTime() - 60_000)
      return token
    })
    this.#token = made
    // a failure is not kept
    made.catch(() => {
      if (this.#token === made) this.#token = undefined
    })
    return made
  }

  /** The next token is a new one. */
  readonly forget = (): void => {
    this.#token = undefined
  }
}
