/**
 * Label that a response puts on a pod that it cuts off, with the response's short id. Whoever sees the
 * pods of a node sees by it whose network calls are wanted, whether a rule asks for them or not.
 */
export const quarantineLabel = 'lanner.dev/quarantine'
