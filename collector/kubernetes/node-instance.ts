import { type ApiAddress, ApiConnection, type CallLimits } from './api-connection.ts'
import { at, text } from './json.ts'

const limits: CallLimits = { answer: 10_000, idle: 10_000, total: 20_000 }
/** Bytes of a node's JSON: it lists the images of the node. */
const mostBytes = 4 << 20

/**
 * The id of the machine that a node is, by one call: the last part of its `spec.providerID`, as
 * `aws:///eu-west-1a/i-0123456789abcdef0` has it. Rejects with an `ApiError`, or when there is none.
 */
export async function nodeInstance(
  address: ApiAddress,
  node: string,
  signal: AbortSignal,
): Promise<string> {
  const pieces: Buffer[] = []
  let length = 0
  const onPiece = (piece: Buffer) => {
    length += piece.length
    if (length > mostBytes) throw new RangeError(`node ${node} has more than ${mostBytes} bytes`)
    pieces.push(piece)
  }
  const path = `/api/v1/nodes/${encodeURIComponent(node)}`
  await new ApiConnection(address).get(path, limits, { onPiece }, signal)
  const json: unknown = JSON.parse(Buffer.concat(pieces).toString('utf8'))
  const instance = text(at(json, 'spec', 'providerID'))
    ?.split('/')
    .at(-1)
  if (instance === undefined || instance === '') throw new Error(`node ${node} has no providerID`)
  return instance
}
