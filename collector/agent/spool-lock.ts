import { open, rename, rm } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { SpoolError } from './spool-error.ts'

/** Gives the lock back. */
export type Unlock = () => Promise<void>

/**
 * Holds a directory for this process alone, by a socket in it that somebody listens to. The kernel
 * ends that with the process, however it dies, and it holds across the containers of a node, where
 * process ids mean nothing. Throws a {@link SpoolError} `held` when another process has it.
 */
export async function lockDirectory(directory: string): Promise<Unlock> {
  const handle = await open(directory)
  // A socket's path has at most 107 bytes; this one is short wherever the directory is.
  const path = `/proc/self/fd/${handle.fd}/lock`
  try {
    const server = (await listen(path)) ?? (await takeOver(path, directory))
    return async () => {
      await new Promise((resolve) => server.close(resolve))
      await handle.close()
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** Takes the lock that a process left which was killed. */
async function takeOver(path: string, directory: string): Promise<Server> {
  const held = () =>
    new SpoolError('held', `the spool ${directory} is held by another process that still runs`)
  if (await answers(path)) throw held()
  const aside = `${path}-${process.pid}`
  // Of two that come at the same time one finds nothing to move, or moves what the other has made.
  await rename(path, aside).catch(ignoreMissing)
  if (await answers(aside)) {
    await rename(aside, path)
    throw held()
  }
  await rm(aside, { force: true })
  const server = await listen(path)
  if (server === undefined) throw held()
  return server
}

/** `undefined` when there is a socket already, with or without somebody behind it. */
function listen(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined)
      else reject(error)
    })
    server.listen(path, () => resolve(server.unref()))
  })
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    // Only a refusal says that nobody is there: what else goes wrong must not open the lock.
    socket.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    )
  })
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}
