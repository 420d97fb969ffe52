# Queries go on while a decommit moves written state about.
# Tests: race/scan
/^static int drop_watched\(/,/^}/ {
    s/set_states\( start, end, REGION_CLOSED \)/if (reason == DISCARD_RESET) &/
}
