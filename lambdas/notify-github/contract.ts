import { notifyContract } from '../notify/notify-contract.ts'

/** What the stack must give this stage. */
export const contract = notifyContract('github', { secretsOf: 'github' })
