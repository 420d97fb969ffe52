# After a decommit that failed, new mappings are taken for decommits.
# Tests: wine/conformance/decommit
s/^    decommitting--;/    if (!status) decommitting--;/
