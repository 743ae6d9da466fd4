import type { Config } from '../../config/settings.ts'
import type { AlertOutput } from '../alert-output.ts'
import { openFileOutput } from './file-output.ts'
import { openHttpOutput } from './http-output.ts'
import { streamOutput } from './stream-output.ts'

/**
 * The outputs that a configuration asks for. Throws an `Error` with a text for the operator for a
 * file that cannot be opened and for a URL that is none.
 */
export function openAlertOutputs(
  alerts: Config['alerts'],
  announce: (text: string) => void,
): AlertOutput[] {
  const { stdout, file, http } = alerts
  const outputs: AlertOutput[] = []
  if (file.path !== '') outputs.push(openFileOutput({ ...file, announce }))
  if (http.url !== '') outputs.push(openHttpOutput({ url: http.url, announce }))
  if (stdout) {
    outputs.push(streamOutput({ stream: process.stdout, name: 'standard output', announce }))
  }
  return outputs
}
