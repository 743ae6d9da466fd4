/**
 * By what metrics are split, and into which values: each pair is a metric of its own that is paid for, so
 * none of them comes from the text of an event. Dashboards in `infra` name the same values.
 */

/** Tactics of MITRE ATT&CK as the tags `mitre_…` of rules name them. */
export const tactics = [
  ...['reconnaissance', 'resource_development', 'initial_access', 'execution', 'persistence'],
  ...['privilege_escalation', 'defense_evasion', 'credential_access', 'discovery'],
  ...['lateral_movement', 'collection', 'command_and_control', 'exfiltration', 'impact'],
] as const

/** What is none of the values that are known. */
export const other = 'other'

/** What a response can be said to have come to. */
export const responseStates = [
  ...['planned', 'observed', 'awaiting', 'approved', 'acting', 'acted'],
  ...['contained', 'partially_contained', 'unenforced', 'unverified', 'failed', 'expired'],
] as const
export type ResponseStateName = (typeof responseStates)[number]
