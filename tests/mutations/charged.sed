# Watched memory is charged all at once, as other memory is.
# Tests: wine/stress/charge
/^static int uncharged\(/,/^}/ s/flags \|= MAP_NORESERVE;/flags |= 0;/
