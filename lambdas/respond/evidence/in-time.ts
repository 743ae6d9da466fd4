/** There was not time enough. */
export class NoTime extends Error {
  override readonly name = 'NoTime'
}

/**
 * What comes of work within so many milliseconds; rejects with {@link NoTime} after them. The work is not
 * ended, nobody waits for it any more.
 */
export async function inTime<T>(milliseconds: number, work: () => Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NoTime('no time')), Math.max(0, milliseconds))
  })
  try {
    return await Promise.race([work(), over])
  } finally {
    clearTimeout(timer)
  }
}
