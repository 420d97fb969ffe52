# A page of a mapped file that is gone ends a query in the middle under Wine.
# Tests: wine/stress/short_file
/^static HANDLER void bus_handler\(/,/^}/ s/if \(info->si_code > 0 &&/if (0 \&\&/
