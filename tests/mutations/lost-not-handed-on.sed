# What is left of a region does not know that written state was lost.
# Tests: unit/region
# Lines: 2
s/(&(left|right)->lost), lost, /\1, lost \& 0, /
