# A tail call behind a condition, which is a conditional jump, is not led to the hooks.
# Tests: unit/find_calls unit/x86_64/inspect
s/    return operand - code >= 2 \&\& operand\[-2\] == 0x0f .*;/    return 0;/
