# After a free for another process that failed, a thread no longer knows that it decommits memory.
# Tests: unit/hooks
/hook_free\( HANDLE/,/^}/ s/^    end_hook\( outer \);/    if (!status) end_hook( outer );/
