# A page that is moved while it is reset is left as the scan leaves it.
# Tests: unit/moved unit/moved unit/moved
# Lines: 2
s/reset \? PAGE_IS_SWAPPED : 0/0/
