/** Falco's codes of what can be wrong with rules files, with a short and a long description. */
const errors = {
  LOAD_ERR_FILE_READ: ['File read error', 'A rules file cannot be read.'],
  LOAD_ERR_YAML_PARSE: ['YAML parse error', 'The content of a rules file is not valid YAML.'],
  LOAD_ERR_YAML_VALIDATE: [
    'Error validating internal structure of YAML file',
    'The YAML does not have the shape of rules: a key is missing or has the wrong kind of value.',
  ],
  LOAD_ERR_COMPILE_CONDITION: [
    'Error compiling condition',
    'A condition cannot be parsed or does not fit the fields it compares.',
  ],
  LOAD_ERR_COMPILE_OUTPUT: [
    'Error compiling output',
    'An output names a field that does not exist.',
  ],
  LOAD_ERR_VALIDATE: [
    'Error validating rule/macro/list/exception objects',
    'A rule, macro, list or exception refers to something that is not there or does not fit.',
  ],
  LOAD_ERR_EXTENSION: ['Error in extension item', 'An extension item is wrong.'],
} as const

const warnings = {
  LOAD_UNKNOWN_SOURCE: ['Unknown event source', 'The event source of a rule is not known here.'],
  LOAD_UNSAFE_NA_CHECK: [
    'Unsafe <NA> comparison in condition',
    'A field is compared with <NA>, which is no value of it.',
  ],
  LOAD_NO_EVTTYPE: [
    'Condition has no event-type restriction',
    'A condition does not restrict the event type, so that it is evaluated for every event.',
  ],
  LOAD_UNKNOWN_FILTER: [
    'Unknown field or event-type in condition or output',
    'A rule that asks to be skipped in this case names a field or event type that is not known.',
  ],
  LOAD_UNUSED_MACRO: ['Unused macro', 'A macro is used by no rule and no other macro.'],
  LOAD_UNUSED_LIST: ['Unused list', 'A list is used by no condition and no other list.'],
  LOAD_UNKNOWN_ITEM: ['Unknown rules file item', 'An item is of no known kind and is left out.'],
  LOAD_DEPRECATED_ITEM: ['Used deprecated item', 'Something is used that is going to disappear.'],
  LOAD_WARNING_EXTENSION: ['Warning in extension item', 'An extension item looks wrong.'],
  LOAD_APPEND_NO_VALUES: [
    'Overriding/appending with no values',
    'An exception is appended that has no values.',
  ],
  LOAD_EXCEPTION_NAME_NOT_UNIQUE: [
    'Multiple exceptions defined with the same name',
    'A rule has two exceptions of one name; values appended later go to the first.',
  ],
  LOAD_INVALID_MACRO_NAME: [
    'Invalid macro name',
    'A macro has a name that no condition can mention.',
  ],
  LOAD_INVALID_LIST_NAME: ['Invalid list name', 'A list has a name that no condition can mention.'],
  LOAD_COMPILE_CONDITION: [
    'Warning in rule condition',
    'A condition compiles, but may not mean what it seems to.',
  ],
  LOAD_UNKNOWN_KEY: [
    'Unknown key in item definition',
    'A key has no meaning in its item and is left out.',
  ],
} as const

export type ErrorCode = keyof typeof errors
export type WarningCode = keyof typeof warnings
export type LoadCode = ErrorCode | WarningCode

export function isErrorCode(code: LoadCode): code is ErrorCode {
  return Object.hasOwn(errors, code)
}

/** Short and long description of a code. */
export function describeCode(code: LoadCode): readonly [short: string, long: string] {
  return isErrorCode(code) ? errors[code] : warnings[code]
}
