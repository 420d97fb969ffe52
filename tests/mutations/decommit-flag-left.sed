# After a decommit that failed, new mappings are taken for decommits.
# Tests: unit/hooks
# Lines: 2
/hook_free\( HANDLE/,/^}/ s/^    end_hook\( outer \);/    if (!status) end_hook( outer );/
/free_watched\( void/,/^}/ s/^    decommitting = 0;/    if (!status) decommitting = 0;/
