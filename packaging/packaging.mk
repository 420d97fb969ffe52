# What is given away and how what was installed is tested: dist, distcheck, installcheck, packages.
# Included by the makefile of the project.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

.PHONY: dist distcheck installcheck packages check-packages

DIST_NAME = $(PACKAGE_TARNAME)-$(VERSION)
# what distcheck tests in the unpacked tree
DISTCHECK_TESTS = package/

# Whatever git tracks, or what the tarball said that this tree comes from.
dist:
	$(call saying,DIST,$(DIST_NAME).tar.gz)sh $(srcdir)/packaging/make-dist \
	  '$(abs_top_srcdir)' $(DIST_NAME) $(DIST_NAME).tar.gz

distcheck: dist
	@$(TEST_ENV) sh $(srcdir)/packaging/check-dist $(DIST_NAME) '$(DISTCHECK_TESTS)'

# What make install put below DESTDIR, with the same folders.
installcheck:
	@$(TEST_ENV) VERSION='$(VERSION)' DESTDIR='$(DESTDIR)' PRELOAD='$(PRELOAD)' \
	  bindir='$(bindir)' libdir='$(libdir)' includedir='$(includedir)' mandir='$(mandir)' \
	  docdir='$(docdir)' pkgconfigdir='$(pkgconfigdir)' pkglibdir='$(pkglibdir)' \
	  LOADER_LIB='$(LOADER_LIB)' BUILD_LIB32='$(BUILD_LIB32)' \
	  sh $(srcdir)/packaging/check-installed

# Of Debian, into packages/ of the build tree.
packages: dist
	@$(TEST_ENV) $(srcdir)/tools/build-packages $(DIST_NAME).tar.gz

# They are built, installed, used, upgraded and removed in trees of Debian; SUITES="trixie" chooses.
check-packages: dist all $(if $(CC32),$(if $(MINGW32),all32))
	@$(TEST_ENV) $(srcdir)/tests/check-packages $(SUITES)
