# Wine's handler is called for a data breakpoint in the middle of a query.
# Tests: wine/stress/breakpoint
/^static HANDLER void trap_handler\(/,/^}/ s/if \(!must_go_on\( context \)\) //
