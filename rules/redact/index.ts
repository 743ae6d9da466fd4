export { redactArguments, redactEnvironment } from './lists.ts'
export { isSecretName } from './names.ts'
export type { TextRedactor } from './text.ts'
export { createTextRedactor, marker } from './text.ts'
