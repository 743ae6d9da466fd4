import type { AlertOutput } from '../alert-output.ts'
import { type FileOutputOptions, openFileOutput } from './file-output.ts'
import { openHttpOutput } from './http-output.ts'
import { streamOutput } from './stream-output.ts'

/** What the settings under `alerts` say of outputs. */
export interface AlertOutputSettings {
  readonly stdout: boolean
  /** No file when the path is empty. */
  readonly file: Pick<FileOutputOptions, 'path' | 'limit' | 'keep'>
  /** No receiver when the address is empty. */
  readonly http: { readonly url: string }
}

/**
 * The outputs that a configuration asks for. Throws an `Error` with a text for the operator for a
 * file that cannot be opened and for a URL that is none.
 */
export function openAlertOutputs(
  alerts: AlertOutputSettings,
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
