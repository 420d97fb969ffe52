# A mapping made by mmap64() does not end a watch.
# Tests: unit/wine_libc
/^EXPORT void \*mmap64/,/^}/ s/if \(!before_mmap\(.*\)\)$/ret = NULL;/
