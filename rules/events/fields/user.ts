import { groupName, userName } from './argument-text.ts'
import { type Binders, plain } from './binder.ts'

/** An audit id that was never set. */
const unset = 0xffff_ffff

/** Who the calling thread acts as, and as whom the session began. Unknown names are `<NA>`. */
export const userFields: Binders = {
  'user.uid': plain(({ euid }) => euid),
  'user.name': plain((event) => userName(event, event.euid)),
  'user.homedir': plain(
    (event) => event.user(event.euid)?.home ?? (event.euid === 0 ? '/root' : '<NA>'),
  ),
  'user.shell': plain((event) => event.user(event.euid)?.shell ?? '<NA>'),
  'user.loginuid': plain(({ process: { loginUid } }) => (loginUid === unset ? -1 : loginUid)),
  'user.loginname': plain((event) =>
    event.process.loginUid === unset ? '<NA>' : userName(event, event.process.loginUid),
  ),
  'group.gid': plain(({ egid }) => egid),
  'group.name': plain((event) => groupName(event, event.egid)),
}
