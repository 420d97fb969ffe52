# The undo does not know of pages of a group that was handed over in part.
# Tests: unit/user_memory unit/undo
s/^            \*start = addr;.*/            ;/
