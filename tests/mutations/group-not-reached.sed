# The undo does not know of pages of a step that was handed over in part.
# Tests: unit/user_memory unit/undo unit/results_array
# Lines: 2
/^UNINTERRUPTED int collect_marked\(/,/^}/ {
/^    query->reached = scan.next;/d
s/^    return store_found\((.*)\);/    if (!(count = store_found(\1))) query->reached = scan.next;\n    return count;/
}
