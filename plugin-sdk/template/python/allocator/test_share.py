"""`python3 -m unittest`"""

import unittest

import share


class Weights(unittest.TestCase):
    def test_quantities_are_whole_thousandths(self):
        self.assertEqual([share.thousandths(value) for value in ("12.5", "7")], [12500, 7000])
        with self.assertRaisesRegex(share.Broken, "'-1'"):
            share.thousandths("-1")

    def test_usage_of_other_metrics_has_no_weight(self):
        used = [("requests", "a", "2"), ("requests", "b", "1"), ("bytes", "b", "9")]
        self.assertEqual(share.weights('{"metric": "requests"}', ["a", "b"], used), [2000, 1000])
