"""`python3 -m unittest`"""

import unittest

import bill

PAGE = b'{"rows": [{"day": "2026-03-01", "service": "Mail", "amount": 0.10, "currency": "EUR", "team": "search"}, {"day": "2026-03-02"}], "next": 2}'


class Replies(unittest.TestCase):
    def test_rows_keep_their_digits(self):
        rows, _, following = bill.reply(PAGE, 1)
        self.assertEqual([row["amount"] for row in rows], ["0.10"])
        self.assertEqual(following, 2)

    def test_rows_that_are_not_understood_are_set_aside(self):
        _, rejected, _ = bill.reply(PAGE, 1)
        self.assertEqual([row[:2] for row in rejected], [("page 1, row 2", "`amount` is missing")])

    def test_pages_that_go_round_in_a_circle_are_refused(self):
        with self.assertRaisesRegex(bill.Broken, "not a later page"):
            bill.reply(b'{"rows": [], "next": 1}', 1)
