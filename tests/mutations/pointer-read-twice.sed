# Wine reads the address of an allocation again, when another thread may have changed it.
# Tests: unit/hooks
/^static NTSTATUS allocate\(/,/^}/ s/status = call_wine\( request, &base, &size, request->type \);/{ status = call_wine( request, ret, \&size, request->type ); base = *ret; }/
