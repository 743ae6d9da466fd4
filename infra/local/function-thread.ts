/**
 * The inside of a {@link FunctionWorker}: loads a handler as Lambda's runtime does, and hands it one
 * event after the other. Payloads are text, as on the wire.
 */
import { parentPort, workerData } from 'node:worker_threads'
import type {
  FunctionErrorBody,
  ThreadAnswer,
  ThreadRequest,
  ThreadSettings,
} from './function-worker.ts'

type Handler = (event: unknown, context: object) => Promise<unknown>

const { handler: location, functionName, functionArn, memoryMiB } = workerData as ThreadSettings
const port = parentPort!

function errorOf(error: unknown): FunctionErrorBody {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error) }
  return {
    errorType: error.name,
    errorMessage: error.message,
    stackTrace: error.stack?.split('\n') ?? [],
  }
}

async function load(): Promise<Handler> {
  const { handler } = (await import(location)) as { handler?: Handler }
  if (typeof handler === 'function') return handler
  const error = new Error(`${location} exports no function named handler`)
  error.name = 'Runtime.HandlerNotFound'
  throw error
}

async function answer(handler: Handler, { event, requestId, deadline }: ThreadRequest) {
  const context = {
    ...{ functionName, functionVersion: '$LATEST', invokedFunctionArn: functionArn },
    ...{ memoryLimitInMB: `${memoryMiB}`, awsRequestId: requestId },
    ...{ logGroupName: `/aws/lambda/${functionName}`, logStreamName: 'local' },
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  }
  try {
    const result = await handler(JSON.parse(event), context)
    return { result: JSON.stringify(result ?? null) }
  } catch (error) {
    return { error: errorOf(error) }
  }
}

try {
  const handler = await load()
  port.on('message', async (request: ThreadRequest) => {
    port.postMessage((await answer(handler, request)) satisfies ThreadAnswer)
  })
  port.postMessage({} satisfies ThreadAnswer)
} catch (error) {
  port.postMessage({ error: errorOf(error) } satisfies ThreadAnswer)
}
