# Sourced from the root of the checkout by scripts/test and .ci/run. Where the full fixture set lies beside the
# checkout, unpacks it into build/fixtures and tells the tests; a missing part of it is then a failure. Without it
# the tests that need it are skipped and show as skipped.
if [ -x ../shared/fixtures/unpack ]; then
  ../shared/fixtures/unpack build/fixtures
  CISTERN_FIXTURES=$PWD/build/fixtures
  CISTERN_REQUIRE_FIXTURES=1
  export CISTERN_FIXTURES CISTERN_REQUIRE_FIXTURES
fi
