# Accessible memory is not marked again after a discard.
# Tests: unit-marked/discard unit-marked/blocks
/^static int discard_accessible\(/,/^}/ s/if \(\(ret = scan_mark_empty\( pos, last \)\)\) return ret;//
