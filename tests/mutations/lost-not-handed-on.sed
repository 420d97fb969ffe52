# What is left of a region does not know that written state was lost.
# Tests: unit/region
# Lines: 0
/to->lost \|= from->lost;/d
