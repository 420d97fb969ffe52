# After a decommit that failed, new mappings are taken for decommits.
# Tests: unit/hooks
/hook_free\( HANDLE/,/^}/ s/^    end_hook\( outer \);/    if (!status) end_hook( outer );/
