// The main of every test program. Compiled once: the Catch2 runner is slow to build.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
