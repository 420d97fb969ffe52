# Wine's handler is called for a data breakpoint in the middle of a query.
# Tests: wine/stress/breakpoint
# Seconds: 20
/^static HANDLER void trap_handler\(/,/^}/ s/if \(!must_go_on\( context \)\) //
