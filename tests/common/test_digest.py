from common.digest import json_digest


def test_the_order_of_keys_does_not_count_but_everything_else_does():
    assert json_digest({"a": 1, "b": [2, 3]}) == json_digest({"b": [2, 3], "a": 1})
    assert json_digest({"a": [2, 3]}) != json_digest({"a": [3, 2]})
    assert json_digest([]) == "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"
