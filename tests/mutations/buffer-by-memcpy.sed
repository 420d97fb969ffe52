# The buffer of VirtualQuery is written to without a guard.
# Tests: unit/buffers
/^static NTSTATUS query_basic\(/,/^}/ s/status = user_store64\( \(uint64_t \*\)buffer \+ i, result.words\[i\] \)/((volatile uint64_t *)buffer)[i] = result.words[i]/
