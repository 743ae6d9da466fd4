import { fileURLToPath } from 'node:url'

/** Lanner's own rules. */
export const libraryPath: string = fileURLToPath(new URL('../rules/library', import.meta.url))
