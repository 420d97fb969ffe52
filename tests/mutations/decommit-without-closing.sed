# Queries go on while a decommit moves written state about.
# Tests: race/scan
/^int watch_decommit\(/,/^}/ {
    s/set_states\( start, end, REGION_CLOSED \)/set_states( start, end, REGION_OPEN )/
}
