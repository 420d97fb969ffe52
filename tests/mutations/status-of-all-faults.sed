# Each fault of a query is an access violation, also that of a guard page.
# Tests: unit/results_array
s/user_access_fail\( context, guard \? STATUS_GUARD_PAGE_VIOLATION : /user_access_fail( context, 0 ? 0 : /
