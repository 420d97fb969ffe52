# The buffer of VirtualQuery is written to without a guard.
# Tests: unit/buffers
/^static NTSTATUS query_basic\(/,/^}/ s/status = user_store_pointer\( \(uintptr_t \*\)buffer \+ i, result.words\[i\] \)/((volatile uintptr_t *)buffer)[i] = result.words[i]/
