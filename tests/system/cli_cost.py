"""`rota cost`."""

from machine import FAILED, USAGE, Machine


class Cost(Machine):
    def test_says_what_it_needs_and_then_estimates_a_year(self):
        self.init()
        self.fails(FAILED, "no full of main.*rota backup main", "cost")
        self.write("file", "content" * 100_000)
        self.backup()
        self.set(**{"cost.storage_gb_month": "1000000", "cost.free_storage_gb": "0",
                    "cost.currency": '"EUR"'})
        value = self.rota("cost", "--json").json()
        self.assertEqual(12, len(value["months"]))
        self.assertEqual("EUR", value["currency"])
        self.assertEqual(3, len(value["measured"]["assumed"]))
        year = value["year"]["without_disks"]
        self.assertGreater(year["storage"], 0)
        self.assertAlmostEqual(year["total"], year["storage"] + year["downloads"] + year["calls"])
        self.assertGreaterEqual(value["year"]["with_disks_copied_from_the_chain"]["total"],
                                year["total"])
        shown = self.rota("cost").out
        self.assertIn("in EUR, of 2026-05-01", shown)
        self.assertRegex(shown, r"\n20\d\d-\d\d-\d\d .*#### +\d")
        self.assertRegex(shown, r"\nwithout disks +\d+\.\d\d +\d+\.\d\d +\d+\.\d\d +\d+\.\d\d\n")

    def test_a_price_that_is_none_is_refused(self):
        self.init()
        self.set(**{"cost.download_gb": "-1"})
        self.fails(USAGE, "cost.download_gb is -1", "cost")


if __name__ == "__main__":
    raise SystemExit("run cli_test.py")
