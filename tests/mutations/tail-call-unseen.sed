# A call at the end of a function, which is a jump, is not led to the hooks.
# Tests: unit/find_calls
s/ \|\| operand\[-1\] == 0xe9//
