#!/usr/bin/env python3
"""Tests of the built program, as a person or a script runs it: real processes, real directories.

ROTA names the program. `cli_test.py NAME...` runs only tests whose names hold one of the words.
Tests that this machine cannot run say so on standard error and in the file $ROTA_SKIP_LOG.
"""

import sys
import time
import unittest

import cli_attach_disk
import cli_attack
import cli_b2
import cli_commands
import cli_cost
import cli_cron
import cli_disks
import cli_doctor
import cli_drill
import cli_held
import cli_hooks
import cli_input
import cli_interrupted
import cli_keys
import cli_labels
import cli_ledger
import cli_locks
import cli_package
import cli_pages
import cli_plug_in
import cli_prepare
import cli_purge
import cli_remind
import cli_s3
import cli_said
import cli_screen
import cli_secrets
import cli_sftp
import cli_slow_line
import cli_stores
import cli_trees
import cli_unwatched
import machine

MODULES = (cli_input, cli_commands, cli_trees, cli_stores, cli_keys, cli_cron, cli_purge,
           cli_interrupted, cli_b2, cli_locks, cli_s3, cli_sftp, cli_secrets, cli_attack, cli_doctor,
           cli_drill, cli_cost, cli_disks, cli_prepare, cli_attach_disk, cli_held, cli_hooks,
           cli_labels, cli_package, cli_pages, cli_plug_in, cli_remind, cli_ledger, cli_said,
           cli_screen, cli_slow_line, cli_unwatched)


def cases(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from cases(test)
        else:
            yield test


class Timed(unittest.TextTestResult):
    """Says how long the slow ones take."""

    def startTest(self, test):
        self.start = time.monotonic()
        super().startTest(test)

    def stopTest(self, test):
        super().stopTest(test)
        seconds = time.monotonic() - self.start
        if seconds > 3:
            self.stream.writeln(f"({test.id()}: {seconds:.1f} s)")


def main(words):
    if not machine.ROTA:
        sys.exit("set ROTA to the path of the program")
    suite = unittest.TestSuite()
    for module in MODULES:
        for test in cases(unittest.defaultTestLoader.loadTestsFromModule(module)):
            if not words or any(word in test.id() for word in words):
                suite.addTest(test)
    if suite.countTestCases() == 0:
        sys.exit(f"no test is called like {' '.join(words)}")
    result = unittest.TextTestRunner(resultclass=Timed, verbosity=1).run(suite)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.exit(main(sys.argv[1:]))
